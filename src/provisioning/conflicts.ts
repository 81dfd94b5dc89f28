import type { Caller, Found } from './found.ts'
import { defaultPath, keyringTag, type Plan, serverTag } from './plan.ts'
import type { Wishes } from './wishes.ts'

export interface Conflicts {
  /** What nothing helps against but the operator's own doing. */
  readonly final: readonly string[]
  /** What `--adopt` accepts. */
  readonly adoptable: readonly string[]
}

/** Why what is there is not what this server's provisioning has made, or may take. */
export function conflictsOf(wishes: Wishes, plan: Plan, found: Found): Conflicts {
  const { final, adoptable } = ofMasterKey(wishes, plan, found)
  return {
    final: [...rightsOfIdentity(plan, found), ...final],
    adoptable: [...otherIdentity(plan, found), ...adoptable],
  }
}

/**
 * AWS takes no key policy that would keep its maker from changing it; named administrators who don't include him would. A role's
 * session is known by the role's name, for its ARN lacks the path.
 */
export function locksOut(caller: Caller, { administrators }: Wishes): boolean {
  if (administrators.length === 0 || caller.arn === `arn:${caller.partition}:iam::${caller.accountId}:root`)
    return false
  const role = /:assumed-role\/([^/]+)\//.exec(caller.arn)?.[1]
  return !administrators.some(
    (arn) => arn === caller.arn || (arn.includes(':role/') && arn.split('/').at(-1) === role),
  )
}

/** A user of such a server has no other rights than those of the key policy, or they are not the ones that are shown. */
function rightsOfIdentity({ identity: { kind, name } }: Plan, { identity }: Found): string[] {
  if (identity === undefined || identity.otherRights.length === 0) return []
  return [
    `the IAM ${kind} ${name} has rights of its own (${identity.otherRights.join(', ')}): take them away, or name another ${kind} for this server`,
  ]
}

function otherIdentity({ server, identity: { kind, name } }: Plan, { identity }: Found): string[] {
  if (identity === undefined) return []
  const tag = identity.tags[serverTag]
  if (tag !== undefined && tag !== server)
    return [`the IAM ${kind} ${name} belongs to the server ${tag} (its tag ${serverTag})`]
  if (tag === undefined) return [`the IAM ${kind} ${name} is there, and was not made for this server`]
  return identity.path === defaultPath ? [] : [`the IAM ${kind} ${name} is in the path ${identity.path}`]
}

function ofMasterKey({ keyring }: Wishes, plan: Plan, { masterKey: key }: Found): Conflicts {
  const none = { final: [], adoptable: [] }
  if (key === undefined) return none
  const name = key.hasAlias
    ? `the master key ${plan.masterKey.alias} (${key.arn})`
    : `the master key ${key.arn}`
  if (key.unfit !== undefined) return { ...none, final: [`${name} can't be taken: ${key.unfit}`] }
  if (key.state === 'PendingDeletion')
    return {
      ...none,
      final: [
        `${name} will be deleted on ${key.deletionDate?.toISOString() ?? 'a day that AWS does not say'}: cancel that (aws kms cancel-key-deletion), or give the alias to another`,
      ],
    }
  const [server, id] = [key.tags[serverTag], key.tags[keyringTag]]
  if (server === undefined)
    return { ...none, adoptable: [`${name} is there, and was not made for this server`] }
  if (server !== plan.server)
    return {
      ...none,
      adoptable: [`${name} belongs to the server ${server}, which could not use it any more`],
    }
  const says = id ?? 'none'
  const wanted = keyring.context === 'none' ? 'none' : (keyring.id ?? id ?? 'a new one')
  return wanted === says
    ? none
    : {
        ...none,
        adoptable: [
          `${name} is for the keyring ${says}, not ${wanted}: what is wrapped for that one could not be unwrapped any more`,
        ],
      }
}
