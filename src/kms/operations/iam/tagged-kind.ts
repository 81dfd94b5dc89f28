import { z } from 'zod'
import type { ManagedPolicy } from '../../state/managed-policy.ts'
import type { Role } from '../../state/roles.ts'
import type { OidcProvider } from '../../state/oidc-providers.ts'
import type { User } from '../../state/users.ts'
import type { Call, State } from '../call.ts'
import { policyArn, roleName, userName } from './members.ts'
import { oidcProviderArn } from './oidc-members.ts'
import { seekOidcProvider } from './oidc-provider.ts'
import { existing, ownPolicy, seekPolicy, seekRole, seekUser, type Sought } from './sought.ts'

/** What can have tags. Each of the operations about tags is there once per kind. */
export interface TaggedKind<Input, Entity extends { readonly tags: ReadonlyMap<string, string> }> {
  readonly label: 'User' | 'Role' | 'Policy' | 'OpenIDConnectProvider'
  /** The member that names one. */
  readonly input: z.ZodType<Input>
  readonly seek: (input: Input, call: Call) => Sought<Entity>
  /** Throws when it is not there, or can't be changed. */
  readonly changeable: (sought: Sought<Entity>) => Entity
  readonly setTags: (entity: Entity, tags: ReadonlyMap<string, string>, state: State) => void
}

export const taggedUser: TaggedKind<{ UserName: string }, User> = {
  label: 'User',
  input: z.object({ UserName: userName }),
  seek: ({ UserName }, call) => seekUser(UserName, call),
  changeable: existing,
  setTags(user, tags, { users }) {
    users.setTags(user, tags)
  },
}

export const taggedRole: TaggedKind<{ RoleName: string }, Role> = {
  label: 'Role',
  input: z.object({ RoleName: roleName }),
  seek: ({ RoleName }, call) => seekRole(RoleName, call),
  changeable: existing,
  setTags(role, tags, { roles }) {
    roles.setTags(role, tags)
  },
}

export const taggedPolicy: TaggedKind<{ PolicyArn: string }, ManagedPolicy> = {
  label: 'Policy',
  input: z.object({ PolicyArn: policyArn }),
  seek: ({ PolicyArn }, call) => seekPolicy(PolicyArn, call),
  changeable: ownPolicy,
  setTags(policy, tags, { managedPolicies }) {
    managedPolicies.setTags(policy, tags)
  },
}

export const taggedOidcProvider: TaggedKind<{ OpenIDConnectProviderArn: string }, OidcProvider> = {
  label: 'OpenIDConnectProvider',
  input: z.object({ OpenIDConnectProviderArn: oidcProviderArn }),
  seek: ({ OpenIDConnectProviderArn }, call) => seekOidcProvider(OpenIDConnectProviderArn, call),
  changeable: existing,
  setTags(provider, tags, { oidcProviders }) {
    oidcProviders.update(provider, { tags })
  },
}
