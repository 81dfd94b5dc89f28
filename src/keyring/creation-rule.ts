import { StrongroomError } from '../errors.ts'
import { maxKeyId } from './data-key.ts'

/** Says for which key ids a first version may be made when MariaDB asks for one (rule K7). */
export interface CreationRule {
  allows(keyId: number): boolean
}

/**
 * Reads `on-demand`, `off`, or a list of ids and ranges such as `1, 2, 100-199`.
 * Throws SR_CONFIG_INVALID, which names the part that is wrong.
 */
export function parseCreationRule(text: string): CreationRule {
  const value = text.trim()
  if (value === 'on-demand') return { allows: () => true }
  if (value === 'off') return { allows: () => false }
  const ranges = value.split(',').map(parseRange)
  return { allows: (keyId) => ranges.some(({ first, last }) => keyId >= first && keyId <= last) }
}

function parseRange(part: string): { first: number; last: number } {
  const match = /^\s*(\d+)(?:\s*-\s*(\d+))?\s*$/.exec(part)
  const first = Number(match?.[1])
  const last = Number(match?.[2] ?? match?.[1])
  if (match === null || first < 1 || last > maxKeyId || first > last) {
    throw new StrongroomError(
      'SR_CONFIG_INVALID',
      `"${part.trim()}" is not a key id or range from 1 to ${maxKeyId}; write on-demand, off, or a list such as 1, 2, 100-199`,
    )
  }
  return { first, last }
}
