import type { DatabaseSync } from 'node:sqlite'
import type { Logger } from 'pino'
import type { PrincipalLookup } from '../policy/bound-principals.ts'
import type { RootKey } from '../seal/root-key.ts'
import { AccessKeys } from './access-keys.ts'
import { AttachedPolicies } from './attached-policies.ts'
import { Groups } from './groups.ts'
import { IdentityPolicies } from './identity-policies.ts'
import { IdentityTags } from './identity-tags.ts'
import { InlinePolicies } from './inline-policies.ts'
import { ManagedPolicies } from './managed-policies.ts'
import { OidcProviders } from './oidc-providers.ts'
import { RoleUsage } from './role-usage.ts'
import { Roles } from './roles.ts'
import { Users } from './users.ts'

/** Who there is and what they may do: the same in all regions. */
export interface IamState {
  readonly users: Users
  readonly groups: Groups
  readonly roles: Roles
  readonly roleUsage: RoleUsage
  readonly oidcProviders: OidcProviders
  readonly accessKeys: AccessKeys
  readonly managedPolicies: ManagedPolicies
  readonly inlinePolicies: InlinePolicies
  readonly attachedPolicies: AttachedPolicies
  /** All the policies that say what somebody may do, as the evaluator wants them. */
  readonly identityPolicies: IdentityPolicies
  /** The unique ids of those whom key policies and trust policies name. */
  readonly principals: PrincipalLookup
}

/** Throws `SR_KMS_DATABASE_DAMAGED` when any of it was altered. */
export function openIam(database: DatabaseSync, rootKey: RootKey, accountId: string, log: Logger): IamState {
  const onChange = (): void => {
    identityPolicies.forget()
  }
  const identityTags = new IdentityTags(database, rootKey)
  identityTags.check()
  const users = new Users(database, accountId, identityTags)
  const roles = new Roles(database, accountId, identityTags)
  const parts = {
    users,
    roles,
    groups: new Groups(database, accountId, identityTags, onChange),
    managedPolicies: new ManagedPolicies(database, accountId, identityTags, onChange),
    inlinePolicies: new InlinePolicies(database, identityTags, onChange),
    attachedPolicies: new AttachedPolicies(database, identityTags, onChange),
  }
  const identityPolicies = new IdentityPolicies(parts, log)
  return {
    ...parts,
    roleUsage: new RoleUsage(database, log),
    oidcProviders: new OidcProviders(database, accountId, identityTags),
    accessKeys: new AccessKeys(database, rootKey, accountId, users),
    identityPolicies,
    principals: {
      withArn: (arn) => users.withArn(arn)?.userId ?? roles.withArn(arn)?.roleId,
      roleNamed: (roleName) => roles.named(roleName)?.roleId,
      arnOfUser: (userId) => users.withId(userId)?.arn,
    },
  }
}
