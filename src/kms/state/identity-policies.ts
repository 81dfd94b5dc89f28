import type { Logger } from 'pino'
import { type NamedPolicy, parseStoredPolicy } from '../policy/document.ts'
import type { Principal } from '../principal.ts'
import type { AttachedPolicies } from './attached-policies.ts'
import type { Groups } from './groups.ts'
import type { InlinePolicies } from './inline-policies.ts'
import type { ManagedPolicies } from './managed-policies.ts'
import type { Role, Roles } from './roles.ts'
import type { User, Users } from './users.ts'

interface Parts {
  readonly users: Users
  readonly groups: Groups
  readonly roles: Roles
  readonly managedPolicies: ManagedPolicies
  readonly inlinePolicies: InlinePolicies
  readonly attachedPolicies: AttachedPolicies
}

/** What everybody's policies say, parsed once and forgotten when anything about policies or groups changes. */
export class IdentityPolicies {
  readonly #parts: Parts
  readonly #log: Logger
  /** Whose name changes is another object. */
  #byOwner = new WeakMap<User | Role, readonly NamedPolicy[]>()

  constructor(parts: Parts, log: Logger) {
    this.#parts = parts
    this.#log = log
  }

  /**
   * The inline and attached policies of a user and of its groups, or those of an assumed role's role. The root user has
   * none. A session's own policies are not among them.
   */
  of(principal: Principal): readonly NamedPolicy[] {
    switch (principal.type) {
      case 'Root':
      case 'WebIdentityUser':
        return []
      case 'IAMUser':
        return this.#remembered(this.#parts.users.withId(principal.principalId))
      case 'AssumedRole':
        return this.#remembered(this.#parts.roles.withId(principal.role.roleId))
    }
  }

  /** To be called after each change of a policy, of what is attached to whom, and of who is in which group. */
  forget(): void {
    this.#byOwner = new WeakMap()
  }

  #remembered(owner: User | Role | undefined): readonly NamedPolicy[] {
    if (owner === undefined) return []
    const known = this.#byOwner.get(owner) ?? this.#collect(owner)
    this.#byOwner.set(owner, known)
    return known
  }

  #collect(owner: User | Role): readonly NamedPolicy[] {
    if ('roleId' in owner) return this.#owned(owner.roleId, `role ${owner.roleName}`)
    const groups = this.#parts.groups.ofUser(owner.userId)
    return [
      ...this.#owned(owner.userId, `user ${owner.userName}`),
      ...groups.flatMap((group) => this.#owned(group.groupId, `group ${group.groupName}`)),
    ]
  }

  #owned(ownerId: string, owner: string): NamedPolicy[] {
    const { inlinePolicies, attachedPolicies, managedPolicies } = this.#parts
    const inline = [...inlinePolicies.of(ownerId)].map(([name, document]) =>
      this.#named(`inline policy ${name} of ${owner}`, document),
    )
    const attached = attachedPolicies
      .policyIdsOf(ownerId)
      .flatMap((policyId) => managedPolicies.withId(policyId) ?? [])
      .map(({ arn, defaultVersion }) => this.#named(arn, defaultVersion.document))
    return [...inline, ...attached]
  }

  #named(source: string, text: string): NamedPolicy {
    const document = parseStoredPolicy('identity', text, (why) => {
      this.#log.error({ policy: source, why }, 'a stored policy cannot be read, so it denies everything')
    })
    return { source, document }
  }
}
