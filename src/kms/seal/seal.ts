/**
 * Where the root key lies while the service is down. The root key seals every secret in the database.
 * A seal gives out the root key's 32 bytes, or throws a StrongroomError that says what to do; it never makes a new
 * root key when the old one is missing.
 */
export interface Seal {
  readonly kind: 'file'
  /** Whether a root key has been made, readable or not. */
  exists(): boolean
  /** Makes the root key and keeps it, durably. Refuses when there is one. */
  create(): Buffer
  /** The root key; the caller owns the bytes and zeroes them. */
  open(): Buffer
}
