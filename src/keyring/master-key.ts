import type { KeySpec } from './data-key.ts'
import type { MasterKeyExamination } from './examination.ts'
import type { EncryptionContext } from './wrapped-key.ts'

/**
 * The master key of a keyring, wherever it is kept.
 *
 * Each call ends within the request time-out. It throws SR_UNWRAP_REFUSED where the KMS says that these bytes,
 * this context and its key don't belong together: trying again helps only once the file has changed. Every
 * other error (SR_MASTER_KEY_*, SR_KMS_*) is about the KMS or the way to it, and may pass.
 */
export interface MasterKey {
  /** As configured (id, ARN, alias or alias ARN); undefined: nothing new can be wrapped. */
  readonly name: string | undefined
  /** Has the KMS make a data key and return only its wrapped form. */
  wrapNew(spec: KeySpec, context: EncryptionContext | undefined): Promise<Wrapped>
  /**
   * `masterKeyArn` is the key that is known to wrap these bytes; where it isn't known yet the KMS reads it from
   * them. Never the configured name: an alias may have been moved since.
   */
  unwrap(
    ciphertext: Buffer,
    context: EncryptionContext | undefined,
    masterKeyArn: string | undefined,
  ): Promise<Unwrapped>
  /**
   * Describes the master key and those of these ARNs, and tries what the caller may do, with a context that a new key would
   * have. Nothing is made. It never throws: what the KMS refuses is what it is asked for.
   */
  examine(context: EncryptionContext | undefined, others: readonly string[]): Promise<MasterKeyExamination>
  close(): void
}

export interface Wrapped {
  readonly ciphertext: Buffer
  readonly masterKeyArn: string
}

export interface Unwrapped {
  /** The receiver owns these bytes and zeroes them. */
  readonly plaintext: Uint8Array
  readonly masterKeyArn: string
}
