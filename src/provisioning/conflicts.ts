import type { Caller, Found, FoundMasterKey } from './found.ts'
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
    final: [...rightsOfIdentity(plan, found), ...pathOfIdentity(plan), ...final],
    adoptable: [...otherIdentity(plan, found), ...masterKeyElsewhere(plan, found), ...adoptable],
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

/** A policy takes `*`, `?` and `${` in an ARN for others too, and a shell takes more. */
function pathOfIdentity({ identity: { kind, name, path } }: Plan): string[] {
  return /^[\w+=,.@/-]*$/.test(path)
    ? []
    : [
        `the IAM ${kind} ${name} is in the path ${path}, which no policy can name safely: name another ${kind}`,
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

/** The access key is made last, so there was a master key: it is in another region more likely than gone. */
function masterKeyElsewhere({ identity, masterKey: { alias } }: Plan, found: Found): string[] {
  return found.masterKey === undefined && (found.identity?.accessKeys ?? []).length > 0
    ? [
        `the IAM ${identity.kind} ${identity.name} has an access key, and in this region there is no master key ${alias}: --region has to be that of the server's master key`,
      ]
    : []
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
  // Tags and aliases can be put on any key, so they don't show that provisioning has made it.
  const brought =
    key.origin === 'AWS_KMS'
      ? []
      : [`${name} has material that AWS did not make (${key.origin}): who has it unwraps without AWS`]
  return {
    ...none,
    adoptable: [...otherServer(plan, key, name), ...otherKeyring(keyring, key, name), ...brought],
  }
}

function otherServer(plan: Plan, { tags }: FoundMasterKey, name: string): string[] {
  const server = tags[serverTag]
  if (server === plan.server) return []
  return server === undefined
    ? [`${name} is there, and was not made for this server`]
    : [`${name} belongs to the server ${server}, which could not use it any more`]
}

function otherKeyring(keyring: Wishes['keyring'], { tags }: FoundMasterKey, name: string): string[] {
  if (tags[serverTag] === undefined) return []
  const id = tags[keyringTag]
  const says = id ?? 'none'
  const wanted = keyring.context === 'none' ? 'none' : (keyring.id ?? id ?? 'a new one')
  return wanted === says
    ? []
    : [
        `${name} is for the keyring ${says}, not ${wanted}: what is wrapped for that one could not be unwrapped any more`,
      ]
}
