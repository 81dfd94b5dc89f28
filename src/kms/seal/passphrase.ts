import crypto, { randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { z } from 'zod'
import { StrongroomError } from '../../errors.ts'
import { sealWith, unsealWith } from './aead.ts'
import { readPassphrase } from './passphrase-source.ts'
import { rootKeyOf, type SealHelp } from './seal.ts'

/** The bounds keep an altered file from taking all memory or hours; a weaker setting than was made opens nothing. */
export const passphraseSealShape = z.strictObject({
  kind: z.literal('passphrase'),
  /** Argon2id (RFC 9106); memory in KiB. */
  argon2id: z.strictObject({
    memory: z.int().min(8).max(4_194_304),
    passes: z.int().min(1).max(1000),
    parallelism: z.int().min(1).max(64),
    salt: z.base64(),
  }),
  sealedRootKey: z.base64(),
})

export type PassphraseSeal = z.infer<typeof passphraseSealShape>

/** 256 MiB and half a second at each start: 4 times the memory that RFC 9106 recommends where memory is scarce. */
const costs = { memory: 262_144, passes: 3, parallelism: 4 }

/** The root key encrypted with a key that Argon2id makes of a passphrase. */
export async function wrapByPassphrase(
  rootKey: Buffer,
  serviceId: string,
  help: SealHelp,
): Promise<PassphraseSeal> {
  const argon2id = { ...costs, salt: randomBytes(16).toString('base64') }
  const key = await keyFrom(await readPassphrase('new', help), argon2id)
  try {
    const sealed = sealWith(key, rootKey, rootKeyOf(serviceId))
    return { kind: 'passphrase', argon2id, sealedRootKey: sealed.toString('base64') }
  } finally {
    key.fill(0)
  }
}

export async function unwrapByPassphrase(
  { argon2id, sealedRootKey }: PassphraseSeal,
  serviceId: string,
  help: SealHelp,
): Promise<Buffer> {
  const key = await keyFrom(await readPassphrase('open', help), argon2id)
  try {
    return unsealWith(key, Buffer.from(sealedRootKey, 'base64'), rootKeyOf(serviceId)) ?? wrong()
  } finally {
    key.fill(0)
  }
}

// By way of the module: Node.js before 24.7 has no argon2, and shall start with the other seals.
const argon2 = promisify(
  (parameters: crypto.Argon2Parameters, done: (error: Error | null, key: Buffer) => void) => {
    crypto.argon2('argon2id', parameters, done)
  },
)

/** Zeroes the passphrase. */
async function keyFrom(passphrase: Buffer, { salt, ...stored }: PassphraseSeal['argon2id']): Promise<Buffer> {
  try {
    return await argon2({ ...stored, message: passphrase, nonce: Buffer.from(salt, 'base64'), tagLength: 32 })
  } catch (error) {
    throw new StrongroomError(
      'SR_KMS_SEAL',
      'Argon2id cannot be computed: it takes Node.js 24.7 or later, OpenSSL 3.2 or later, and ' +
        `${String(Math.ceil(stored.memory / 1024))} MiB of memory`,
      { cause: error },
    )
  } finally {
    passphrase.fill(0)
  }
}

function wrong(): never {
  throw new StrongroomError(
    'SR_KMS_PASSPHRASE',
    'the passphrase does not open the root key: it is another passphrase, or root-key.json was altered',
  )
}
