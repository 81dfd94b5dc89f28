/** Who signed a request. */
export type Principal = RootUser | IamUser

interface Identity {
  readonly accountId: string
  /** The ARN that policies name and error messages show. */
  readonly arn: string
  /** What `aws:userid` and GetCallerIdentity's `UserId` hold: the account id of the root user, a user's unique id. */
  readonly principalId: string
  readonly accessKeyId: string
}

/** The account itself. */
export interface RootUser extends Identity {
  readonly type: 'Root'
}

export interface IamUser extends Identity {
  readonly type: 'IAMUser'
  readonly userName: string
}
