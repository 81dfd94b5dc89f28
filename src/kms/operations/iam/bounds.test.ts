import * as iam from '@aws-sdk/client-iam'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { identityPolicy, trustPolicy } from '../../../../test/support/identities.ts'
import { startTestService } from '../../../../test/support/kms-service.ts'
import { Groups } from '../../state/groups.ts'
import { ManagedPolicies } from '../../state/managed-policies.ts'
import { Roles } from '../../state/roles.ts'
import { Users } from '../../state/users.ts'

const PolicyDocument = identityPolicy({ Action: 'kms:*' })
const AssumeRolePolicyDocument = trustPolicy({ Principal: { AWS: '111122223333' } })

interface Getter {
  readonly mock: { readonly restore: () => void }
}

test('an account has as many users, groups, roles and policies as Amazon’s by default', async (t) => {
  const client = (await startTestService(t)).iam()
  const rows: readonly (readonly [
    (count: () => number) => Getter,
    number,
    string,
    () => Promise<unknown>,
  ])[] = [
    [
      (count) => t.mock.getter(Users.prototype, 'count', count),
      5000,
      'UsersPerAccount',
      () => client.send(new iam.CreateUserCommand({ UserName: 'alice' })),
    ],
    [
      (count) => t.mock.getter(Groups.prototype, 'count', count),
      300,
      'GroupsPerAccount',
      () => client.send(new iam.CreateGroupCommand({ GroupName: 'operators' })),
    ],
    [
      (count) => t.mock.getter(Roles.prototype, 'count', count),
      1000,
      'RolesPerAccount',
      () => client.send(new iam.CreateRoleCommand({ RoleName: 'deployer', AssumeRolePolicyDocument })),
    ],
    [
      (count) => t.mock.getter(ManagedPolicies.prototype, 'count', count),
      1500,
      'PoliciesPerAccount',
      () => client.send(new iam.CreatePolicyCommand({ PolicyName: 'keys', PolicyDocument })),
    ],
  ]
  for (const [pretend, quota, name, create] of rows) {
    const full = pretend(() => quota)
    await assert.rejects(create(), {
      name: 'LimitExceededException',
      message: `Cannot exceed quota for ${name}: ${quota}`,
    })
    full.mock.restore()
    const almostFull = pretend(() => quota - 1)
    await create()
    almostFull.mock.restore()
  }
})

test('each member out of Amazon’s bounds is refused', async (t) => {
  const client = (await startTestService(t)).iam()
  const x = (length: number): string => 'x'.repeat(length)
  const refused: readonly (() => Promise<unknown>)[] = [
    ...['', x(65), 'a b', 'a/b', 'ä', 'a*'].map(
      (UserName) => () => client.send(new iam.CreateUserCommand({ UserName })),
    ),
    ...['', x(129), 'a b'].map((UserName) => () => client.send(new iam.GetUserCommand({ UserName }))),
    ...['', x(129), 'a/b'].map((GroupName) => () => client.send(new iam.CreateGroupCommand({ GroupName }))),
    ...['', x(129), 'a:b'].map(
      (PolicyName) => () => client.send(new iam.CreatePolicyCommand({ PolicyName, PolicyDocument })),
    ),
    ...['', 'a', '/a', 'a/', '/a b/', `/${x(511)}/`].map(
      (Path) => () => client.send(new iam.CreateUserCommand({ UserName: 'alice', Path })),
    ),
    ...['/a', '/a!/'].map(
      (Path) => () => client.send(new iam.CreatePolicyCommand({ PolicyName: 'a', Path, PolicyDocument })),
    ),
    ...['a', ''].map((PathPrefix) => () => client.send(new iam.ListUsersCommand({ PathPrefix }))),
    ...['', x(19), x(2049)].map((PolicyArn) => () => client.send(new iam.GetPolicyCommand({ PolicyArn }))),
    ...['', '1', 'v0', 'v1 '].map(
      (VersionId) => () =>
        client.send(
          new iam.GetPolicyVersionCommand({
            PolicyArn: 'arn:aws:iam::aws:policy/AdministratorAccess',
            VersionId,
          }),
        ),
    ),
    ...['', 'AKIA', x(129), 'AKIAIOSFODNN7-EXAMPLE'].map(
      (AccessKeyId) => () => client.send(new iam.GetAccessKeyLastUsedCommand({ AccessKeyId })),
    ),
    () => client.send(new iam.CreatePolicyCommand({ PolicyName: 'a', PolicyDocument, Description: x(1001) })),
  ]
  for (const call of refused) {
    await assert.rejects(call(), {
      name: 'ValidationError',
      message: /^\d validation errors? detected: Value/,
    })
  }
  for (const Path of ['/', '/!/', `/${x(510)}/`, '/a/b/']) {
    await client.send(new iam.CreateUserCommand({ UserName: 'alice', Path }))
    await client.send(new iam.DeleteUserCommand({ UserName: 'alice' }))
  }
})
