import { StrongroomError } from '../../errors.ts'
import type { DataKey } from '../../keyring/data-key.ts'
import type { WatchedKeySource } from './key-source.ts'

/** More would not fit into a frame. */
const namedAtMost = 40

/** Rotates one key id, or (0) every one that has a key, and says what was done. Throws as `Keyring.rotate` does. */
export async function rotationText(
  keys: WatchedKeySource,
  keyId: number,
): Promise<{ isDone: boolean; text: string }> {
  if (keyId !== 0) {
    const { version } = await keys.rotate(keyId)
    return { isDone: true, text: `key ${keyId} now has version ${version}` }
  }
  const { rotated, failed } = await rotateAll(keys)
  const made = listOf(rotated.map((key) => `key ${key.keyId} now has version ${key.version}`))
  if (failed.length === 0) {
    const isDone = rotated.length > 0
    return { isDone, text: isDone ? made : 'no key has a version that could be rotated' }
  }
  // One reason for many ids is said once.
  const reasons = Map.groupBy(failed, ({ error }) => error.message)
  const faults = [...reasons].map(
    ([reason, of]) => `${keyList(of.map((one) => one.keyId))} not rotated: ${reason}`,
  )
  return { isDone: false, text: [listOf(faults), made].filter((part) => part !== '').join('; ') }
}

/** Each is tried, whatever becomes of the others. */
async function rotateAll(keys: WatchedKeySource) {
  const rotated: DataKey[] = []
  const failed: { keyId: number; error: StrongroomError }[] = []
  for (const keyId of new Set(keys.listKeys().map((key) => key.keyId))) {
    try {
      rotated.push(await keys.rotate(keyId))
    } catch (error) {
      if (!(error instanceof StrongroomError)) throw error
      failed.push({ keyId, error })
    }
  }
  return { rotated, failed }
}

function keyList(ids: readonly number[]): string {
  return ids.length === 1 ? `key ${ids.join()}` : `keys ${listOf(ids.map(String), ', ')}`
}

function listOf(parts: readonly string[], between = '; '): string {
  const more = parts.length - namedAtMost
  return `${parts.slice(0, namedAtMost).join(between)}${more > 0 ? ` and ${more} more` : ''}`
}
