import { kmsOperations } from '../operations/kms/index.ts'

/** The operations that are about no key, or about all; and RetireGrant, which each grant has its own rules for. */
const withoutKey: ReadonlySet<string> = new Set([
  'CreateKey',
  'GenerateRandom',
  'ListAliases',
  'ListKeys',
  'ListRetirableGrants',
  'RetireGrant',
])

/** The actions of KMS that are about one key. */
export const keyActions: readonly string[] = kmsOperations
  .map(({ name }) => name)
  .filter((name) => !withoutKey.has(name))
  .flatMap((name) => (name === 'ReEncrypt' ? ['ReEncryptFrom', 'ReEncryptTo'] : [name]))
  .map((name) => `kms:${name}`)
