import { StrongroomError } from '../errors.ts'
import type { Call } from './calls.ts'
import type { HeldCredentials } from './credentials-file.ts'
import type { FoundAccessKey } from './found.ts'

export interface AccessKeyWishes {
  readonly userName: string
  readonly file: string
  /** Whether a further one is wanted, to take the place of the one that there is. */
  readonly isNew: boolean
}

/** AWS's quota for a user. */
const mostAccessKeys = 2

/**
 * The calls by which the user's one access key, or with `isNew` one more, comes to be in the file; none where it is there. What
 * an interrupted run has made, and nobody has the secret of, goes first. Throws SR_PROVISION_CONFLICT and SR_PROVISION_FILE.
 */
export function accessKeyCalls(
  { userName: UserName, file, isNew }: AccessKeyWishes,
  held: HeldCredentials,
  keys: readonly FoundAccessKey[],
): Call[] {
  const create: Call = { service: 'iam', operation: 'CreateAccessKey', input: { UserName } }
  if (held.state === 'whole') {
    requireOwn(held.credentials.accessKeyId, keys, { UserName, file, isNew })
    return []
  }
  const lost = held.state === 'unfinished' ? keys.filter(({ id }) => !held.before.includes(id)) : []
  const used = lost.find(({ lastUsedAt }) => lastUsedAt !== undefined)
  if (used !== undefined)
    throw conflict(
      `${UserName} has the access key ${used.id} since ${file} was begun, and somebody uses it: if it is nobody's, delete it (aws iam delete-access-key) and run this again; else remove ${file}`,
    )
  if (lost.length > 1)
    throw conflict(
      `${UserName} has more access keys since ${file} was begun than the one that was for it: ${describe(lost)}; delete the one that nobody has (aws iam delete-access-key), or remove ${file}`,
    )
  const kept = keys.filter((key) => !lost.includes(key))
  if (kept.length > 0 && held.state === 'absent' && !isNew)
    throw conflict(
      `${UserName} has the access key ${describe(kept)}, whose secret AWS shows to nobody: name the file that has it, or say --new-access-key for one more`,
    )
  if (kept.length >= mostAccessKeys)
    throw conflict(
      `${UserName} has two access keys, which is as many as AWS allows: ${describe(kept)}; delete the one that no agent uses (aws iam delete-access-key)`,
    )
  const deletions = lost.map(({ id }): Call => {
    return { service: 'iam', operation: 'DeleteAccessKey', input: { UserName, AccessKeyId: id } }
  })
  return [...deletions, create]
}

function requireOwn(
  id: string,
  keys: readonly FoundAccessKey[],
  { UserName, file, isNew }: { UserName: string; file: string; isNew: boolean },
): void {
  const own = keys.find((key) => key.id === id)
  if (own === undefined)
    throw new StrongroomError(
      'SR_PROVISION_FILE',
      `${file} holds the access key ${id}, which is none of ${UserName}: name another file`,
    )
  if (!own.isActive)
    throw conflict(
      `the access key ${id} of ${UserName}, which is in ${file}, is inactive: it is not to be used`,
    )
  if (isNew)
    throw new StrongroomError(
      'SR_PROVISION_FILE',
      `${file} holds the access key ${id}, and is not overwritten: name another file for the new one`,
    )
}

function describe(keys: readonly FoundAccessKey[]): string {
  return keys
    .map(({ id, isActive, createdAt, lastUsedAt }) => {
      const facts = [
        ...(isActive ? [] : ['inactive']),
        `of ${day(createdAt)}`,
        lastUsedAt === undefined ? 'never used' : `last used ${day(lastUsedAt)}`,
      ]
      return `${id} (${facts.join(', ')})`
    })
    .join(' and ')
}

function day(time: Date | undefined): string {
  return time?.toISOString().slice(0, 10) ?? 'an unknown day'
}

function conflict(message: string): StrongroomError {
  return new StrongroomError('SR_PROVISION_CONFLICT', message)
}
