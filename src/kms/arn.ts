/** The account and region that a service answers for; both are parts of every ARN it gives out. */
export interface Account {
  /** 12 decimal digits. */
  readonly accountId: string
  /** Such as `us-east-1`. */
  readonly region: string
}

export function keyArn(account: Account, keyId: string): string {
  return `arn:aws:kms:${account.region}:${account.accountId}:key/${keyId}`
}

/** `aliasName` starts with `alias/`. */
export function aliasArn(account: Account, aliasName: string): string {
  return `arn:aws:kms:${account.region}:${account.accountId}:${aliasName}`
}

export function rootUserArn(accountId: string): string {
  return `arn:aws:iam::${accountId}:root`
}

/** `path` starts and ends with a slash: `/` or `/division/team/`. */
export function userArn(accountId: string, path: string, userName: string): string {
  return `arn:aws:iam::${accountId}:user${path}${userName}`
}

/** The parts of `arn:aws:kms:REGION:ACCOUNT:RESOURCE`, or undefined when it is not of that form. */
export function parseKmsArn(arn: string): (Account & { resource: string }) | undefined {
  const match = /^arn:aws:kms:([a-z0-9-]+):(\d{12}):((?:key|alias)\/.+)$/.exec(arn)
  if (match?.[1] === undefined || match[2] === undefined || match[3] === undefined) return undefined
  return { region: match[1], accountId: match[2], resource: match[3] }
}

/** Whether the text has the form of a key id: a UUID in lower case. */
export function isKeyId(text: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(text)
}
