import { assumedRoleArn, rootUserArn } from '../arn.ts'
import type { State } from '../operations/call.ts'
import { parseSessionPolicy } from '../policy/document.ts'
import {
  type AssumedRole,
  type IamUser,
  type Principal,
  rolePrincipal,
  rootPrincipal,
  type RootUser,
  type Session,
  userPrincipal,
  type WebIdentityUser,
  webIdentityUser,
} from '../principal.ts'
import { AwsException } from '../protocol/exceptions.ts'
import type { OidcProvider } from '../state/oidc-providers.ts'
import type { Role } from '../state/roles.ts'
import type { User } from '../state/users.ts'
import type { SimulationQuestion } from './question.ts'
import { unanswerable } from './unanswerable.ts'

/** The session of a role that is asked about without one. */
const sessionName = 'simulation'

/** Whoever would sign the request; throws SR_KMS_SIMULATION when there is no such principal. */
export function simulatedPrincipal(arn: string, question: SimulationQuestion, state: State): Principal {
  if (arn === rootUserArn(state.account.accountId)) return rootUser(question, state)
  const user = state.users.withArn(arn)
  if (user !== undefined) return userOf(user, question, state)
  const provider = state.oidcProviders.withArn(arn)
  if (provider !== undefined) return somebodyOf(provider, state)
  const role = state.roles.withArn(arn)
  if (role !== undefined) return sessionOf(role, sessionName, { question, state })
  const [, roleName = '', name = ''] = /^arn:aws:sts::\d{12}:assumed-role\/([^/]+)\/([^/]+)$/.exec(arn) ?? []
  const roleOfSession = state.roles.named(roleName)
  if (
    roleOfSession !== undefined &&
    assumedRoleArn(state.account.accountId, roleOfSession.roleName, name) === arn
  )
    return sessionOf(roleOfSession, name, { question, state })
  throw unanswerable(`there is no user or role ${arn}, and no OpenID Connect provider`)
}

/** Everybody who could sign a request: the root user, the users and the roles. */
export function everyPrincipal(question: SimulationQuestion, state: State): Principal[] {
  const users = state.users.all().toSorted(byArn)
  const roles = state.roles.all().toSorted(byArn)
  return [
    rootUser(question, state),
    ...users.map((user) => userOf(user, question, state)),
    ...roles.map((role) => sessionOf(role, sessionName, { question, state })),
  ]
}

function byArn(a: { arn: string }, b: { arn: string }): number {
  return a.arn < b.arn ? -1 : 1
}

function rootUser(question: SimulationQuestion, state: State): RootUser {
  return rootPrincipal(credentials(question, state))
}

function userOf(user: User, question: SimulationQuestion, state: State): IamUser {
  return userPrincipal(user, credentials(question, state))
}

/** Whom the provider vouches for. What the token claims is what the question has as condition keys: `HOST/PATH:sub`. */
function somebodyOf(provider: OidcProvider, { account }: State): WebIdentityUser {
  return webIdentityUser(account.accountId, {
    providerArn: provider.arn,
    providerName: provider.name,
    subject: '',
    audience: '',
    otherAudiences: [],
    methods: [],
  })
}

function sessionOf(
  role: Role,
  name: string,
  { question, state }: { question: SimulationQuestion; state: State },
): AssumedRole {
  return rolePrincipal(role, {
    ...credentials(question, state),
    sessionName: name,
    tags: new Map(question.sessionTags),
    session: { ...newSession(question), policies: sessionPolicies(question) },
  })
}

function credentials(
  question: SimulationQuestion,
  { account: { accountId } }: State,
): Parameters<typeof rootPrincipal>[0] {
  return { accountId, accessKeyId: '', session: userSession(question) }
}

/** Long-term credentials have none. */
function userSession(question: SimulationQuestion): Session | undefined {
  const { temporaryCredentials, mfaAge } = question
  if (!temporaryCredentials && mfaAge === undefined) return undefined
  const mfaAuthenticatedAt =
    mfaAge === undefined ? undefined : new Date(timeOf(question).getTime() - mfaAge * 1000)
  return { ...newSession(question), mfaAuthenticatedAt }
}

function newSession(question: SimulationQuestion): Session {
  const issuedAt = timeOf(question)
  return {
    issuedAt,
    expiresAt: new Date(issuedAt.getTime() + 3600 * 1000),
    mfaAuthenticatedAt: undefined,
    policies: undefined,
    sourceIdentity: question.sourceIdentity,
    transitiveTagKeys: [],
  }
}

function sessionPolicies({ sessionPolicy }: SimulationQuestion): Session['policies'] {
  if (sessionPolicy === undefined) return undefined
  try {
    return [{ source: 'session policy', document: parseSessionPolicy(sessionPolicy) }]
  } catch (error) {
    if (error instanceof AwsException) throw unanswerable(`the session policy: ${error.message}`, error)
    throw error
  }
}

/** When the request would be made. */
export function timeOf({ at }: SimulationQuestion): Date {
  return at === undefined ? new Date() : new Date(at)
}
