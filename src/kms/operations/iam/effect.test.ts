import * as iam from '@aws-sdk/client-iam'
import {
  CreateKeyCommand,
  DescribeKeyCommand,
  EncryptCommand,
  type KMSClient,
  ListKeysCommand,
} from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { identityPolicy } from '../../../../test/support/identities.ts'
import { type Credentials, startTestService, type TestService } from '../../../../test/support/kms-service.ts'
import { assume } from '../../../../test/support/sts-session.ts'

/* What policies, groups and roles allow and deny, from the next request on. */

const alice = { UserName: 'alice' }
const operators = { GroupName: 'operators' }
const allowAll = identityPolicy({ Action: 'kms:*' })
const denyListing = identityPolicy({ Effect: 'Deny', Action: 'kms:ListKeys' })
const refused = { name: 'AccessDeniedException' }

/** Alice, without policies, and her KMS client. */
async function start(
  t: Parameters<typeof startTestService>[0],
): Promise<{ service: TestService; root: iam.IAMClient; credentials: Credentials; kms: KMSClient }> {
  const service = await startTestService(t)
  const credentials = await service.makeUser('alice')
  return { service, root: service.iam(), credentials, kms: service.kms(credentials) }
}

const list = (kms: KMSClient): Promise<unknown> => kms.send(new ListKeysCommand({}))

test('an inline policy allows from when it is put until it is deleted', async (t) => {
  const { root, kms } = await start(t)
  const inline = { ...alice, PolicyName: 'keys' }
  await assert.rejects(list(kms), refused)
  await root.send(new iam.PutUserPolicyCommand({ ...inline, PolicyDocument: allowAll }))
  await list(kms)
  await root.send(new iam.PutUserPolicyCommand({ ...inline, PolicyDocument: denyListing }))
  await assert.rejects(list(kms), {
    ...refused,
    message: /with an explicit deny in an identity-based policy$/,
  })
  await root.send(new iam.PutUserPolicyCommand({ ...inline, PolicyDocument: allowAll }))
  await list(kms)
  await root.send(new iam.DeleteUserPolicyCommand(inline))
  await assert.rejects(list(kms), refused)
})

test('a group’s policies hold for who is in it, and its deny wins', async (t) => {
  const { root, kms } = await start(t)
  await root.send(new iam.CreateGroupCommand(operators))
  const inGroup = { ...operators, PolicyName: 'keys' }
  await root.send(new iam.PutGroupPolicyCommand({ ...inGroup, PolicyDocument: allowAll }))
  await assert.rejects(list(kms), refused)
  await root.send(new iam.AddUserToGroupCommand({ ...alice, ...operators }))
  await list(kms)
  await root.send(new iam.RemoveUserFromGroupCommand({ ...alice, ...operators }))
  await assert.rejects(list(kms), refused)
  await root.send(new iam.PutUserPolicyCommand({ ...alice, PolicyName: 'keys', PolicyDocument: allowAll }))
  await root.send(new iam.PutGroupPolicyCommand({ ...inGroup, PolicyDocument: denyListing }))
  await list(kms)
  await root.send(new iam.AddUserToGroupCommand({ ...alice, ...operators }))
  await assert.rejects(list(kms), refused)
  await root.send(new iam.DeleteGroupPolicyCommand(inGroup))
  await list(kms)
})

test('of a managed policy its default version holds, for users and for groups', async (t) => {
  const { root, kms } = await start(t)
  const { Policy } = await root.send(
    new iam.CreatePolicyCommand({ PolicyName: 'keys', PolicyDocument: allowAll }),
  )
  const policy = { PolicyArn: Policy?.Arn }
  await assert.rejects(list(kms), refused)
  await root.send(new iam.AttachUserPolicyCommand({ ...alice, ...policy }))
  await list(kms)
  await root.send(new iam.CreatePolicyVersionCommand({ ...policy, PolicyDocument: denyListing }))
  await list(kms)
  await root.send(new iam.SetDefaultPolicyVersionCommand({ ...policy, VersionId: 'v2' }))
  await assert.rejects(list(kms), refused)
  await root.send(
    new iam.CreatePolicyVersionCommand({ ...policy, PolicyDocument: allowAll, SetAsDefault: true }),
  )
  await list(kms)
  await root.send(new iam.DetachUserPolicyCommand({ ...alice, ...policy }))
  await assert.rejects(list(kms), refused)
  await root.send(new iam.CreateGroupCommand(operators))
  await root.send(new iam.AddUserToGroupCommand({ ...alice, ...operators }))
  await assert.rejects(list(kms), refused)
  await root.send(new iam.AttachGroupPolicyCommand({ ...operators, ...policy }))
  await list(kms)
  await root.send(new iam.DetachGroupPolicyCommand({ ...operators, ...policy }))
  await assert.rejects(list(kms), refused)
})

test('a built-in policy allows what its name says, and is there after a restart', async (t) => {
  const { service, root, credentials, kms } = await start(t)
  const PolicyArn = 'arn:aws:iam::aws:policy/AWSKeyManagementServicePowerUser'
  await root.send(new iam.AttachUserPolicyCommand({ ...alice, PolicyArn }))
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  const encrypt = new EncryptCommand({ KeyId: KeyMetadata?.KeyId, Plaintext: Buffer.from('x') })
  await assert.rejects(kms.send(encrypt), refused)
  await service.reopen()
  const again = service.kms(credentials)
  await list(again)
  await again.send(new DescribeKeyCommand({ KeyId: KeyMetadata?.KeyId }))
  await assert.rejects(again.send(encrypt), refused)
})

test('a role’s policies hold for its sessions, and a change holds at once', async (t) => {
  const { service, root, credentials } = await start(t)
  const RoleArn = await service.makeRole('deployer', [
    { Principal: { AWS: 'arn:aws:iam::111122223333:user/alice' } },
  ])
  const kms = service.kms(await assume(service, credentials, { RoleArn }))
  await assert.rejects(list(kms), refused)
  const inline = { RoleName: 'deployer', PolicyName: 'keys' }
  await root.send(new iam.PutRolePolicyCommand({ ...inline, PolicyDocument: allowAll }))
  await list(kms)
  await assert.rejects(list(service.kms(credentials)), refused)
  await root.send(new iam.DeleteRolePolicyCommand(inline))
  await assert.rejects(list(kms), refused)
})

test('paths make groups of resources, which a policy can name', async (t) => {
  const { root, service } = await start(t)
  for (const [UserName, Path] of [
    ['bob', '/team/red/'],
    ['carol', '/team/'],
    ['dora', '/'],
  ]) {
    await root.send(new iam.CreateUserCommand({ UserName, Path }))
  }
  const manager = service.iam(
    await service.makeUser('manager', {
      Action: ['iam:GetUser', 'iam:CreateUser', 'iam:UpdateUser'],
      Resource: 'arn:aws:iam::111122223333:user/team/*',
    }),
  )
  await manager.send(new iam.GetUserCommand({ UserName: 'bob' }))
  await manager.send(new iam.GetUserCommand({ UserName: 'carol' }))
  await manager.send(new iam.CreateUserCommand({ UserName: 'erik', Path: '/team/' }))
  await assert.rejects(manager.send(new iam.GetUserCommand({ UserName: 'dora' })), { name: 'AccessDenied' })
  await assert.rejects(manager.send(new iam.CreateUserCommand({ UserName: 'frank' })), {
    name: 'AccessDenied',
  })
  await assert.rejects(manager.send(new iam.UpdateUserCommand({ UserName: 'erik', NewPath: '/' })), {
    name: 'AccessDenied',
  })
  await assert.rejects(manager.send(new iam.UpdateUserCommand({ UserName: 'dora', NewPath: '/team/' })), {
    name: 'AccessDenied',
  })
})

test('nothing that is denied to others locks the root user out', async (t) => {
  const { service, root } = await start(t)
  const denyEverything = identityPolicy({ Effect: 'Deny', Action: '*' })
  await root.send(new iam.CreateGroupCommand(operators))
  await root.send(new iam.AddUserToGroupCommand({ ...alice, ...operators }))
  await root.send(
    new iam.PutGroupPolicyCommand({ ...operators, PolicyName: 'all', PolicyDocument: denyEverything }),
  )
  await list(service.kms())
  const { AccessKeyMetadata } = await root.send(new iam.ListAccessKeysCommand({}))
  const AccessKeyId = AccessKeyMetadata?.[0]?.AccessKeyId
  await assert.rejects(root.send(new iam.DeleteAccessKeyCommand({ AccessKeyId })), {
    name: 'DeleteConflictException',
  })
  await assert.rejects(root.send(new iam.UpdateAccessKeyCommand({ AccessKeyId, Status: 'Inactive' })), {
    name: 'DeleteConflictException',
  })
  await root.send(new iam.CreateAccessKeyCommand({}))
  await root.send(new iam.UpdateAccessKeyCommand({ AccessKeyId, Status: 'Inactive' }))
})

test('the trail shows what was changed, for whom', async (t) => {
  const { service, root } = await start(t)
  await root.send(new iam.PutUserPolicyCommand({ ...alice, PolicyName: 'keys', PolicyDocument: allowAll }))
  const record = service.trail().find(({ eventName }) => eventName === 'PutUserPolicy')
  assert.deepEqual(record?.['requestParameters'], {
    userName: 'alice',
    policyName: 'keys',
    policyDocument: allowAll,
  })
  assert.equal(record['readOnly'], false)
})
