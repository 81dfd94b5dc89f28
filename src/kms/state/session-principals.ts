import { type Principal, rolePrincipal, rootPrincipal, userPrincipal } from '../principal.ts'
import type { Roles } from './roles.ts'
import type { RoleSession, SessionDetails, UserSession } from './session-details.ts'
import type { SessionPolicies } from './session-policies.ts'
import type { Users } from './users.ts'

/** What has to be known of temporary credentials to say whom they speak for. */
export interface KnownSession {
  readonly accessKeyId: string
  readonly details: SessionDetails
  readonly issuedAt: Date
  readonly expiresAt: Date
}

/** Whom temporary credentials speak for: the user or role as it is now, not as it was when they were given out. */
export class SessionPrincipals {
  readonly #accountId: string
  readonly #users: Users
  readonly #roles: Roles
  readonly #policies: SessionPolicies
  readonly #made = new WeakMap<KnownSession, { basis: readonly unknown[]; principal: Principal }>()

  constructor(
    accountId: string,
    { users, roles }: { users: Users; roles: Roles },
    policies: SessionPolicies,
  ) {
    this.#accountId = accountId
    this.#users = users
    this.#roles = roles
    this.#policies = policies
  }

  /** Undefined when the user or role is no more. */
  of(session: KnownSession): Principal | undefined {
    const { details } = session
    if (details.kind === 'role') return this.#ofRole(session, details)
    return details.userId === null ? this.#ofRoot(session, details) : this.#ofUser(session, details)
  }

  #ofRole(session: KnownSession, details: RoleSession): Principal | undefined {
    const role = this.#roles.withId(details.roleId)
    if (role === undefined) return undefined
    const policies = this.#policies.of(details)
    return this.#once(session, [role, policies], () =>
      rolePrincipal(role, {
        accountId: this.#accountId,
        accessKeyId: session.accessKeyId,
        sessionName: details.sessionName,
        tags: new Map(details.tags),
        session: {
          issuedAt: session.issuedAt,
          expiresAt: session.expiresAt,
          // The code that was shown to AssumeRole counted there. Amazon's role sessions know nothing of it either.
          mfaAuthenticatedAt: undefined,
          policies,
          sourceIdentity: details.sourceIdentity,
          transitiveTagKeys: details.transitiveTagKeys,
          webIdentity: details.webIdentity,
        },
      }),
    )
  }

  #ofUser(session: KnownSession, details: UserSession): Principal | undefined {
    const user = this.#users.withId(details.userId ?? '')
    if (user === undefined) return undefined
    return this.#once(session, [user], () => userPrincipal(user, this.#credentials(session, details)))
  }

  #ofRoot(session: KnownSession, details: UserSession): Principal {
    return this.#once(session, [], () => rootPrincipal(this.#credentials(session, details)))
  }

  #credentials(session: KnownSession, details: UserSession): Parameters<typeof rootPrincipal>[0] {
    const { accessKeyId } = session
    return { accountId: this.#accountId, accessKeyId, session: userSession(session, details) }
  }

  /** Made anew when what it is made from was changed, which shows by identity. */
  #once(session: KnownSession, basis: readonly unknown[], make: () => Principal): Principal {
    const made = this.#made.get(session)
    if (made?.basis.every((one, i) => one === basis[i]) === true) return made.principal
    const principal = make()
    this.#made.set(session, { basis, principal })
    return principal
  }
}

function userSession(
  { issuedAt, expiresAt }: KnownSession,
  { mfaAuthenticatedAt }: UserSession,
): NonNullable<Principal['session']> {
  return {
    issuedAt,
    expiresAt,
    mfaAuthenticatedAt: mfaAuthenticatedAt === undefined ? undefined : new Date(mfaAuthenticatedAt),
    policies: undefined,
    sourceIdentity: undefined,
    transitiveTagKeys: [],
  }
}
