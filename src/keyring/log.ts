/** The part of a pino logger that the keyring writes to. No field and no text ever holds key bytes. */
export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}
