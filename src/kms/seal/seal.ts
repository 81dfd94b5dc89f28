import type { Logger } from 'pino'

/*
 * Each kind of seal is a file with two functions, `wrap…` and `unwrap…`: one encrypts the 32 bytes of the root key for
 * one service, the other decrypts them. What the first returns is stored beside the database and holds no secret. Both
 * throw a StrongroomError that says what to do; the second never gives out anything else than what was wrapped for that
 * service, and the caller zeroes it.
 */

/** What protects the root key while the service is down, as an operator asks for it. */
export type SealRequest =
  { readonly kind: 'file' } | { readonly kind: 'passphrase' } | { readonly kind: 'systemd' } | KmsSealRequest

export interface KmsSealRequest {
  readonly kind: 'kms'
  /** Id, ARN, alias or alias ARN of a symmetric key in the other KMS. */
  readonly keyId: string
  readonly region: string
  /** Undefined: Amazon's own. */
  readonly endpoint?: string | undefined
}

export type SealKind = SealRequest['kind']
export const sealKinds = ['file', 'passphrase', 'systemd', 'kms'] as const

/** What making or opening a seal may need besides what is stored. */
export interface SealHelp {
  /** A file that holds the passphrase; a line end after it does not count. */
  readonly passphraseFile?: string | undefined
  /** Asks somebody for the passphrase. Undefined: there is nobody to ask. */
  readonly askPassphrase?: AskPassphrase | undefined
  readonly log?: Logger | undefined
}

/** `new`: for a seal that is being made, so that a slip of the fingers must be noticed. The caller zeroes the bytes. */
export type AskPassphrase = (purpose: 'open' | 'new') => Promise<Buffer>

export const rootKeyLength = 32

/** What a wrapped root key is bound to. */
export function rootKeyOf(serviceId: string): string {
  return `root key of KMS service ${serviceId}`
}
