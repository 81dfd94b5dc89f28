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

/** `path` as of a user. */
export function roleArn(accountId: string, path: string, roleName: string): string {
  return `arn:aws:iam::${accountId}:role${path}${roleName}`
}

export function groupArn(accountId: string, path: string, groupName: string): string {
  return `arn:aws:iam::${accountId}:group${path}${groupName}`
}

export function managedPolicyArn(accountId: string, path: string, policyName: string): string {
  return `arn:aws:iam::${accountId}:policy${path}${policyName}`
}

/** The serial number of a virtual MFA device. */
export function mfaDeviceArn(accountId: string, path: string, deviceName: string): string {
  return `arn:aws:iam::${accountId}:mfa${path}${deviceName}`
}

/** `name`: the provider's URL without `https://`. */
export function oidcProviderArn(accountId: string, name: string): string {
  return `arn:aws:iam::${accountId}:oidc-provider/${name}`
}

/** Who an assumed role's temporary credentials speak for. */
export function assumedRoleArn(accountId: string, roleName: string, sessionName: string): string {
  return `arn:aws:sts::${accountId}:assumed-role/${roleName}/${sessionName}`
}

/** The parts of `arn:aws:kms:REGION:ACCOUNT:RESOURCE`, or undefined when it is not of that form. */
export function parseKmsArn(arn: string): (Account & { resource: string }) | undefined {
  const match = /^arn:aws:kms:([a-z0-9-]+):(\d{12}):((?:key|alias)\/.+)$/.exec(arn)
  if (match?.[1] === undefined || match[2] === undefined || match[3] === undefined) return undefined
  return { region: match[1], accountId: match[2], resource: match[3] }
}

/** Whether the text has the form of a key id: a UUID in lower case, or `mrk-` and 32 hexadecimal digits. */
export function isKeyId(text: string): boolean {
  return (
    isMultiRegionKeyId(text) || /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(text)
  )
}

/** The key id of a multi-Region key, which it shares with its replicas. */
export function isMultiRegionKeyId(text: string): boolean {
  return /^mrk-[0-9a-f]{32}$/.test(text)
}
