import { assumedRoleArn, rootUserArn } from './arn.ts'
import type { WebIdentity } from './federation/web-identity.ts'
import type { NamedPolicy } from './policy/document.ts'

/** Who makes a request. All but the last sign it. */
export type Principal = RootUser | IamUser | AssumedRole | WebIdentityUser

interface Identity {
  readonly accountId: string
  /** The ARN that policies name and error messages show; of an assumed role, that of the session. */
  readonly arn: string
  /**
   * What `aws:userid` and GetCallerIdentity's `UserId` hold: the account id of the root user, a user's unique id, a
   * role's unique id with the session's name (`AROA…:name`).
   */
  readonly principalId: string
  readonly accessKeyId: string
  /** What `aws:PrincipalTag/…` holds: the tags of the user or role, overridden by those of the session. */
  readonly tags: ReadonlyMap<string, string>
  /** Set when the request was signed with temporary credentials. */
  readonly session: Session | undefined
}

/** The account itself. */
export interface RootUser extends Identity {
  readonly type: 'Root'
}

export interface IamUser extends Identity {
  readonly type: 'IAMUser'
  readonly userName: string
}

export interface AssumedRole extends Identity {
  readonly type: 'AssumedRole'
  readonly role: { readonly arn: string; readonly roleId: string; readonly roleName: string }
  readonly sessionName: string
  readonly session: Session
}

/**
 * Somebody outside the account for whom an OpenID Connect provider vouches, while he asks for a session of a role: the
 * one request that nobody signs. Its `arn` is the provider's.
 */
export interface WebIdentityUser extends Identity {
  readonly type: 'WebIdentityUser'
  readonly subject: string
}

/** Temporary credentials, of GetSessionToken, AssumeRole or AssumeRoleWithWebIdentity. */
export interface Session {
  readonly issuedAt: Date
  readonly expiresAt: Date
  /** When a code of an MFA device was shown for it; undefined: none was. */
  readonly mfaAuthenticatedAt: Date | undefined
  /** What AssumeRole or AssumeRoleWithWebIdentity was given as `Policy` and `PolicyArns`: the session may do no more than these allow. */
  readonly policies: readonly NamedPolicy[] | undefined
  readonly sourceIdentity: string | undefined
  /** The keys of the session's tags that go on to the next role. */
  readonly transitiveTagKeys: readonly string[]
  /** Set when it came by AssumeRoleWithWebIdentity. */
  readonly webIdentity?: WebIdentity | undefined
}

export function webIdentityUser(accountId: string, identity: WebIdentity): WebIdentityUser {
  const { providerArn, audience, subject } = identity
  return {
    type: 'WebIdentityUser',
    accountId,
    arn: providerArn,
    principalId: `${providerArn}:${audience}:${subject}`,
    accessKeyId: '',
    tags: new Map(),
    session: undefined,
    subject,
  }
}

/** With which credentials a principal speaks. */
interface Credentials {
  readonly accountId: string
  readonly accessKeyId: string
  readonly session: Session | undefined
}

export function rootPrincipal(credentials: Credentials): RootUser {
  const { accountId } = credentials
  return {
    ...credentials,
    type: 'Root',
    arn: rootUserArn(accountId),
    principalId: accountId,
    tags: new Map(),
  }
}

export function userPrincipal(
  { arn, userId, userName, tags }: Pick<Identity, 'arn' | 'tags'> & { userId: string; userName: string },
  credentials: Credentials,
): IamUser {
  return { ...credentials, type: 'IAMUser', arn, principalId: userId, userName, tags }
}

/** `tags`: those that the session was given. */
export function rolePrincipal(
  role: AssumedRole['role'] & Pick<Identity, 'tags'>,
  { sessionName, tags, ...credentials }: Credentials & Pick<AssumedRole, 'sessionName' | 'session' | 'tags'>,
): AssumedRole {
  const { arn, roleId, roleName } = role
  return {
    ...credentials,
    type: 'AssumedRole',
    arn: assumedRoleArn(credentials.accountId, roleName, sessionName),
    principalId: `${roleId}:${sessionName}`,
    role: { arn, roleId, roleName },
    sessionName,
    tags: overridden(role.tags, tags),
  }
}

/** The session's tags take the place of the role's; their keys differ in more than case. */
function overridden(
  roleTags: ReadonlyMap<string, string>,
  sessionTags: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const taken = new Set([...sessionTags.keys()].map((key) => key.toLowerCase()))
  return new Map([...[...roleTags].filter(([key]) => !taken.has(key.toLowerCase())), ...sessionTags])
}
