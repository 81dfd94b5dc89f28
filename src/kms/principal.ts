import type { NamedPolicy } from './policy/document.ts'

/** Who signed a request. */
export type Principal = RootUser | IamUser | AssumedRole

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

/** Temporary credentials, of GetSessionToken or AssumeRole. */
export interface Session {
  readonly issuedAt: Date
  readonly expiresAt: Date
  /** When a code of an MFA device was shown for it; undefined: none was. */
  readonly mfaAuthenticatedAt: Date | undefined
  /** What AssumeRole was given as `Policy` and `PolicyArns`: the session may do no more than these allow. */
  readonly policies: readonly NamedPolicy[] | undefined
  readonly sourceIdentity: string | undefined
  /** The keys of the session's tags that go on to the next role. */
  readonly transitiveTagKeys: readonly string[]
}
