/** `kms:EncryptionContext:KEY`, in lower case. */
export const contextKeyPrefix = 'kms:encryptioncontext:'

/**
 * The condition keys that a policy may name, in lower case. Those under "never there" are known to be missing from
 * every request as yet (no sessions, no calls through other services), which is an answer too.
 * https://docs.aws.amazon.com/kms/latest/developerguide/policy-conditions.html
 */
const knownKeys: ReadonlySet<string> = new Set([
  'aws:currenttime',
  'aws:epochtime',
  'aws:principalaccount',
  'aws:principalarn',
  'aws:principaltype',
  'aws:securetransport',
  'aws:sourceip',
  'aws:useragent',
  'aws:userid',
  'aws:username',
  'kms:bypasspolicylockoutsafetycheck',
  'kms:calleraccount',
  'kms:encryptionalgorithm',
  'kms:encryptioncontextkeys',
  'kms:keyorigin',
  'kms:keyspec',
  'kms:keyusage',
  'kms:multiregion',
  'kms:requestalias',
  // never there
  'aws:multifactorauthage',
  'aws:multifactorauthpresent',
  'kms:viaservice',
])

export function isKnownConditionKey(key: string): boolean {
  const name = key.toLowerCase()
  return knownKeys.has(name) || (name.startsWith(contextKeyPrefix) && name.length > contextKeyPrefix.length)
}
