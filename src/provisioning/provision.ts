import type { AwsAccess } from '../aws/access.ts'
import { StrongroomError } from '../errors.ts'
import { accessKeyCalls } from './access-key.ts'
import type { Call } from './calls.ts'
import { changesFor } from './changes.ts'
import { conflictsOf, locksOut } from './conflicts.ts'
import type { CredentialsFile } from './credentials-file.ts'
import type { Caller, Found } from './found.ts'
import { look, lookAtCaller } from './look.ts'
import { keyringIdFor, keyringTag, type Plan, planFor } from './plan.ts'
import type { Wishes } from './wishes.ts'

export interface ProvisionOptions {
  /** Where the access key of a user goes; undefined: nothing is to be made, only shown. */
  readonly file: CredentialsFile | undefined
  /** Whether one more access key is wanted. */
  readonly newAccessKey: boolean
  /** Whether to take what was not made for this server. */
  readonly adopt: boolean
}

/** What is to be done for a server, as far as nothing has been done yet. */
export interface Provisioning {
  readonly caller: Caller
  readonly plan: Plan
  readonly found: Found
  readonly calls: readonly Call[]
  /** What is taken although it was not made for this server. */
  readonly adopted: readonly string[]
}

/** Looks at what is there, and says what to do. Throws SR_AWS_…, SR_PROVISION_CONFLICT and SR_PROVISION_FILE. */
export async function prepare(
  wishes: Wishes,
  { file, newAccessKey, adopt }: ProvisionOptions,
  access: AwsAccess,
): Promise<Provisioning> {
  const caller = await lookAtCaller(access)
  const found = await look(wishes, access)
  const plan = planFor(wishes, {
    account: caller,
    keyringId: keyringIdFor(wishes, found.masterKey?.tags[keyringTag]),
    path: found.identity?.path,
  })
  const { final, adoptable } = conflictsOf(wishes, plan, found)
  if (final.length > 0) throw conflict(final.join('; '))
  if (adoptable.length > 0 && !adopt)
    throw conflict(`${adoptable.join('; ')}; --adopt takes it, and makes it this server's`)
  const changes = changesFor(plan, found)
  if (changes.some(setsKeyPolicy) && locksOut(caller, wishes))
    throw conflict(
      `AWS refuses a key policy that its maker could not change again: add --administrator for yourself, ${caller.arn}, or call as one of the administrators`,
    )
  return { caller, plan, found, calls: [...changes, ...keyCalls(plan, found)], adopted: adoptable }

  function keyCalls({ identity }: Plan, { identity: there }: Found): Call[] {
    if (identity.kind !== 'user') return []
    const userName = identity.name
    const keys = there?.accessKeys ?? []
    if (file === undefined)
      return keys.length > 0
        ? []
        : accessKeyCalls({ userName, file: '', isNew: false }, { state: 'absent' }, keys)
    return accessKeyCalls({ userName, file: file.path, isNew: newAccessKey }, file.read(), keys)
  }
}

function setsKeyPolicy({ operation }: Call): boolean {
  return operation === 'CreateKey' || operation === 'PutKeyPolicy'
}

function conflict(message: string): StrongroomError {
  return new StrongroomError('SR_PROVISION_CONFLICT', message)
}
