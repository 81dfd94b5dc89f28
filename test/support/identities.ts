import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  type IAMClient,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam'
import assert from 'node:assert/strict'

/** One statement of a policy; `Effect` is Allow and `Resource` is `*` where they are left out. */
export type Statement = Readonly<Record<string, unknown>>

/** A policy of an identity. */
export function identityPolicy(...statements: readonly Statement[]): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: statements.map((statement) => ({ Effect: 'Allow', Resource: '*', ...statement })),
  })
}

/** Who may assume a role; `Effect` is Allow and `Action` is sts:AssumeRole where they are left out. */
export function trustPolicy(...statements: readonly Statement[]): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: statements.map((statement) => ({ Effect: 'Allow', Action: 'sts:AssumeRole', ...statement })),
  })
}

/** A user with one inline policy (none without statements) and an access key, which is returned. */
export async function makeUser(
  iam: IAMClient,
  UserName: string,
  statements: readonly Statement[],
): Promise<{ accessKeyId: string; secretAccessKey: string }> {
  await iam.send(new CreateUserCommand({ UserName }))
  if (statements.length > 0) {
    const PolicyDocument = identityPolicy(...statements)
    await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'inline', PolicyDocument }))
  }
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }))
  assert.ok(AccessKey?.AccessKeyId !== undefined && AccessKey.SecretAccessKey !== undefined)
  return { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey }
}

/** A role with one inline policy (none without statements); returns its ARN. */
export async function makeRole(
  iam: IAMClient,
  RoleName: string,
  { trust, statements }: { trust: readonly Statement[]; statements: readonly Statement[] },
): Promise<string> {
  const { Role } = await iam.send(
    new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trustPolicy(...trust) }),
  )
  if (statements.length > 0) {
    const PolicyDocument = identityPolicy(...statements)
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'inline', PolicyDocument }))
  }
  return Role?.Arn ?? assert.fail('the role has no ARN')
}
