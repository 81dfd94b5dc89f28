import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { type ErrorCode, StrongroomError } from '../../src/errors.ts'
import { keyLength, type KeySpec } from '../../src/keyring/data-key.ts'
import type { MasterKeyExamination } from '../../src/keyring/examination.ts'
import type { MasterKey, Unwrapped, Wrapped } from '../../src/keyring/master-key.ts'
import type { EncryptionContext } from '../../src/keyring/wrapped-key.ts'

const arn = 'arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'

/** A master key in this process, for unit tests of what stands in front of a KMS. */
export class FakeMasterKey implements MasterKey {
  name: string | undefined = arn
  /** Set: every call fails so. */
  fault: ErrorCode | undefined
  /** As `fault`, for single calls, by their encryption context. */
  faultFor: (context: EncryptionContext) => ErrorCode | undefined = () => undefined
  /** Milliseconds that a call takes. */
  delay = 0
  wraps = 0
  unwraps = 0
  atOnce = 0
  mostAtOnce = 0
  readonly #secret = randomBytes(32)

  async wrapNew(spec: KeySpec, context: EncryptionContext | undefined): Promise<Wrapped> {
    this.wraps += 1
    await this.#work(context)
    return { ciphertext: this.wrap(randomBytes(keyLength(spec)), context), masterKeyArn: arn }
  }

  async unwrap(
    ciphertext: Buffer,
    context: EncryptionContext | undefined,
    masterKeyArn: string | undefined,
  ): Promise<Unwrapped> {
    this.unwraps += 1
    await this.#work(context)
    if (masterKeyArn !== undefined && masterKeyArn !== arn) throw refused()
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#secret, ciphertext.subarray(0, 12))
      decipher.setAAD(associated(context))
      decipher.setAuthTag(ciphertext.subarray(12, 28))
      return {
        plaintext: Buffer.concat([decipher.update(ciphertext.subarray(28)), decipher.final()]),
        masterKeyArn: arn,
      }
    } catch {
      throw refused()
    }
  }

  /** Wraps given bytes, as somebody who calls the KMS directly would. */
  wrap(plaintext: Buffer, context?: EncryptionContext): Buffer {
    const nonce = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', this.#secret, nonce)
    cipher.setAAD(associated(context))
    const body = Buffer.concat([cipher.update(plaintext), cipher.final()])
    return Buffer.concat([nonce, cipher.getAuthTag(), body])
  }

  examine(): Promise<MasterKeyExamination> {
    const described = [{ name: this.name ?? arn, arn, state: 'Enabled' }]
    return Promise.resolve({ endpoint: 'fake', described, needed: {}, needless: [] })
  }

  close(): void {
    this.fault = 'SR_KEYRING_CLOSED'
  }

  async #work(context: EncryptionContext = {}): Promise<void> {
    this.atOnce += 1
    this.mostAtOnce = Math.max(this.mostAtOnce, this.atOnce)
    await setTimeout(this.delay)
    this.atOnce -= 1
    const fault = this.fault ?? this.faultFor(context)
    if (fault !== undefined) throw new StrongroomError(fault, 'the fake KMS was told to fail')
  }
}

function refused(): StrongroomError {
  return new StrongroomError('SR_UNWRAP_REFUSED', 'the KMS refuses to unwrap it')
}

function associated(context: EncryptionContext = {}): Buffer {
  return Buffer.from(JSON.stringify(Object.entries(context).sort()))
}
