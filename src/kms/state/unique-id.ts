import { randomInt } from 'node:crypto'

/**
 * An id of the form that Amazon gives out: a prefix of 4 letters that says of what, then 16 of A-Z and 2-7.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
 */
export function uniqueId(prefix: 'AGPA' | 'AIDA' | 'AKIA' | 'ANPA' | 'AROA' | 'ASIA' | 'OIDC'): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  return prefix + Array.from({ length: 16 }, () => alphabet.charAt(randomInt(alphabet.length))).join('')
}
