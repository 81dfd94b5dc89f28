import {
  AddUserToGroupCommand,
  CreateGroupCommand,
  CreateUserCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam'
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DeleteAliasCommand,
  DescribeKeyCommand,
  GetKeyPolicyCommand,
  ListKeysCommand,
  ListResourceTagsCommand,
  PutKeyPolicyCommand,
  ScheduleKeyDeletionCommand,
  UntagResourceCommand,
  UpdateKeyDescriptionCommand,
} from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { identityPolicy } from '../../test/support/identities.ts'
import { startTestService, type TestService } from '../../test/support/kms-service.ts'
import { keyringId, provisionServer, wishes } from '../../test/support/provisioned.ts'
import { locksOut } from './conflicts.ts'
import { CredentialsFile } from './credentials-file.ts'

const code = 'SR_PROVISION_CONFLICT'

async function aliasedKey(
  service: TestService,
  tags: Record<string, string> = {},
  Origin: 'AWS_KMS' | 'EXTERNAL' = 'AWS_KMS',
): Promise<string> {
  const Tags = Object.entries(tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue }))
  const { KeyMetadata } = await service.kms().send(new CreateKeyCommand({ Tags, Origin }))
  const TargetKeyId = KeyMetadata?.KeyId ?? ''
  await service.kms().send(new CreateAliasCommand({ AliasName: wishes.alias, TargetKeyId }))
  return KeyMetadata?.Arn ?? ''
}

test('run again, it calls nothing', async (t) => {
  const service = await startTestService(t)
  const first = await provisionServer(service)
  assert.deepEqual(
    first.calls.map(({ operation }) => operation),
    ['CreateUser', 'CreateKey', 'CreateAlias', 'CreateAccessKey'],
  )
  assert.deepEqual((await provisionServer(service)).calls, [])
  assert.deepEqual(
    (await provisionServer(service, { keyring: { context: 'bound', id: undefined } })).calls,
    [],
  )
})

test('what somebody changed is changed back, and what the wishes change is changed', async (t) => {
  const service = await startTestService(t)
  const { keyArn: KeyId } = await provisionServer(service)
  const kms = service.kms()
  const { Policy: former } = await kms.send(new GetKeyPolicyCommand({ KeyId, PolicyName: 'default' }))
  const open = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { AWS: '*' }, Action: 'kms:*', Resource: '*' }],
  })
  await kms.send(new PutKeyPolicyCommand({ KeyId, Policy: open, BypassPolicyLockoutSafetyCheck: true }))
  await kms.send(new UpdateKeyDescriptionCommand({ KeyId, Description: 'mine' }))
  const again = await provisionServer(service)
  assert.deepEqual(
    again.calls.map(({ operation }) => operation),
    ['PutKeyPolicy', 'UpdateKeyDescription'],
  )
  assert.equal((await kms.send(new GetKeyPolicyCommand({ KeyId, PolicyName: 'default' }))).Policy, former)
  const rewrap = await provisionServer(service, { mayRewrap: true })
  assert.deepEqual(
    rewrap.calls.map(({ operation }) => operation),
    ['PutKeyPolicy'],
  )
})

test('a user that was not made for this server is refused, unless it is adopted', async (t) => {
  const service = await startTestService(t)
  await service.iam().send(new CreateUserCommand({ UserName: 'strongroom-db1', Path: '/databases/' }))
  await assert.rejects(provisionServer(service), {
    code,
    message: /strongroom-db1 is there, and was not made for this server; --adopt/,
  })
  assert.deepEqual((await service.kms().send(new ListKeysCommand({}))).Keys, [], 'nothing was made')
  const { plan, calls } = await provisionServer(service, { adopt: true })
  assert.equal(calls[0]?.operation, 'TagUser')
  assert.equal(plan.identity.arn, 'arn:aws:iam::111122223333:user/databases/strongroom-db1')
})

test('a user with rights of its own is refused, adopted or not', async (t) => {
  const service = await startTestService(t)
  await provisionServer(service)
  const iam = service.iam()
  const UserName = 'strongroom-db1'
  await iam.send(new CreateGroupCommand({ GroupName: 'staff' }))
  await iam.send(new AddUserToGroupCommand({ UserName, GroupName: 'staff' }))
  const PolicyDocument = identityPolicy({ Action: 'iam:*' })
  await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'extra', PolicyDocument }))
  for (const adopt of [false, true])
    await assert.rejects(provisionServer(service, { adopt }), {
      code,
      message: /has rights of its own \(group staff, inline policy extra\): take them away/,
    })
})

test('an alias of a key that was not made for this server is refused, unless it is adopted', async (t) => {
  const service = await startTestService(t)
  const arn = await aliasedKey(service, { team: 'databases' })
  await assert.rejects(provisionServer(service), {
    code,
    message: new RegExp(`${arn}.* was not made for this server`),
  })
  const { keyArn, calls } = await provisionServer(service, { adopt: true })
  assert.equal(keyArn, arn)
  assert.deepEqual(
    calls.map(({ operation }) => operation),
    ['CreateUser', 'PutKeyPolicy', 'TagResource', 'UpdateKeyDescription', 'CreateAccessKey'],
  )
  const { Tags } = await service.kms().send(new ListResourceTagsCommand({ KeyId: arn }))
  assert.deepEqual(Tags?.map(({ TagKey }) => TagKey).sort(), [
    'strongroom-keyring',
    'strongroom-server',
    'team',
  ])
  assert.deepEqual((await provisionServer(service)).calls, [])
})

test("another server's master key, and another keyring's, are refused", async (t) => {
  const service = await startTestService(t)
  await aliasedKey(service, { 'strongroom-server': 'db2', 'strongroom-keyring': 'e'.repeat(32) })
  await assert.rejects(provisionServer(service), {
    code,
    message: /belongs to the server db2, which could not use it any more/,
  })
  await provisionServer(service, { adopt: true })
  for (const keyring of [{ context: 'bound', id: 'a'.repeat(32) }, { context: 'none' }] as const)
    await assert.rejects(provisionServer(service, { keyring }), {
      code,
      message: new RegExp(`is for the keyring ${keyringId}, not (a{32}|none)`),
    })
  const unbound = await provisionServer(service, { keyring: { context: 'none' }, adopt: true })
  assert.deepEqual(
    unbound.calls.map(({ operation }) => operation),
    ['PutKeyPolicy', 'UntagResource'],
  )
  assert.deepEqual((await provisionServer(service, { keyring: { context: 'none' } })).calls, [])
  await assert.rejects(provisionServer(service, { keyring: { context: 'bound', id: undefined } }), {
    code,
    message: /is for the keyring none, not a new one/,
  })
})

test('a key that waits for its deletion, and one of another kind, are never taken', async (t) => {
  const service = await startTestService(t)
  const KeyId = await aliasedKey(service)
  await service.kms().send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }))
  await assert.rejects(provisionServer(service, { adopt: true }), {
    code,
    message: /will be deleted on \d{4}-.*cancel/,
  })
  const { KeyMetadata } = await service.kms().send(new CreateKeyCommand({ MultiRegion: true }))
  await service
    .kms()
    .send(new CreateAliasCommand({ AliasName: 'alias/multi', TargetKeyId: KeyMetadata?.KeyId ?? '' }))
  await assert.rejects(provisionServer(service, { alias: 'alias/multi', adopt: true }), {
    code,
    message: /can't be taken: it is a multi-Region key/,
  })
})

test('a key whose material somebody has brought is refused, also where its tags say that it is ours', async (t) => {
  const service = await startTestService(t)
  const tags = { 'strongroom-server': 'db1', 'strongroom-keyring': keyringId }
  const arn = await aliasedKey(service, tags, 'EXTERNAL')
  await assert.rejects(provisionServer(service), {
    code,
    message: new RegExp(`${arn}.* has material that AWS did not make \\(EXTERNAL\\).*--adopt`),
  })
  assert.equal((await provisionServer(service, { adopt: true })).keyArn, arn)
})

test('a user in a path that a policy would take for others as well is refused', async (t) => {
  const service = await startTestService(t)
  await service.iam().send(new CreateUserCommand({ UserName: 'strongroom-db1', Path: '/*/' }))
  await assert.rejects(provisionServer(service, { adopt: true }), {
    code,
    message: /strongroom-db1 is in the path \/\*\/, which no policy can name safely/,
  })
})

test('for a server whose master key is not in this region no second one is made', async (t) => {
  const service = await startTestService(t)
  const { keyArn: KeyId } = await provisionServer(service)
  await service.kms().send(new DeleteAliasCommand({ AliasName: wishes.alias }))
  await service.kms().send(new UntagResourceCommand({ KeyId, TagKeys: ['strongroom-server'] }))
  await assert.rejects(provisionServer(service), {
    code,
    message: /strongroom-db1 has an access key, and in this region there is no master key .*--adopt/,
  })
  assert.equal((await service.kms().send(new ListKeysCommand({}))).Keys?.length, 1)
  assert.notEqual((await provisionServer(service, { adopt: true })).keyArn, KeyId)
})

test('two master keys for a server without an alias are named, and none is made', async (t) => {
  const service = await startTestService(t)
  const Tags = [{ TagKey: 'strongroom-server', TagValue: 'db1' }]
  for (let count = 0; count < 2; count++) await service.kms().send(new CreateKeyCommand({ Tags }))
  await assert.rejects(provisionServer(service), {
    code,
    message: /2 master keys have the tag strongroom-server = db1: arn:.*, arn:/,
  })
})

test('of access keys there is one, and a second one where it is wanted', async (t) => {
  const service = await startTestService(t)
  const { credentials, file, keyArn } = await provisionServer(service)
  const second = new CredentialsFile(join(service.directory, 'second'))
  await assert.rejects(provisionServer(service, { file: second }), {
    code,
    message: new RegExp(
      `has the access key ${credentials.accessKeyId} \\(of .*, never used\\), whose secret.*--new-access-key`,
    ),
  })
  await service.kms(credentials).send(new DescribeKeyCommand({ KeyId: keyArn }))
  await assert.rejects(provisionServer(service, { newAccessKey: true }), {
    code: 'SR_PROVISION_FILE',
    message: /is not overwritten/,
  })
  const rotated = await provisionServer(service, { file: second, newAccessKey: true })
  assert.deepEqual(
    rotated.calls.map(({ operation }) => operation),
    ['CreateAccessKey'],
  )
  assert.notEqual(rotated.credentials.accessKeyId, credentials.accessKeyId)
  for (const one of [file, second])
    assert.deepEqual((await provisionServer(service, { file: one })).calls, [])
  const third = new CredentialsFile(join(service.directory, 'third'))
  await assert.rejects(provisionServer(service, { file: third, newAccessKey: true }), {
    code,
    message: /has two access keys, .*last used \d{4}-.* and AKIA.*never used/,
  })
})

test('a role that trusts others by now is told so', async (t) => {
  const service = await startTestService(t)
  const role = (...trusts: string[]) => ({ identity: { kind: 'role', name: 'db1', trusts } }) as const
  await provisionServer(service, role('ec2'))
  assert.deepEqual((await provisionServer(service, role('ec2'))).calls, [])
  const { calls } = await provisionServer(service, role('ec2', 'arn:aws:iam::111122223333:root'))
  assert.deepEqual(
    calls.map(({ operation }) => operation),
    ['UpdateAssumeRolePolicy'],
  )
})

test('who is no named administrator is told before AWS refuses the policy', () => {
  const [partition, accountId] = ['aws', '111122223333']
  const named = {
    ...wishes,
    administrators: ['arn:aws:iam::111122223333:user/alice', 'arn:aws:iam::111122223333:role/a/ops'],
  }
  const out = (arn: string, who = named) => locksOut({ arn, partition, accountId }, who)
  assert.equal(out('arn:aws:iam::111122223333:root'), false)
  assert.equal(out('arn:aws:iam::111122223333:user/alice'), false)
  assert.equal(out('arn:aws:sts::111122223333:assumed-role/ops/session'), false)
  assert.equal(out('arn:aws:iam::111122223333:user/ops'), true)
  assert.equal(out('arn:aws:sts::111122223333:assumed-role/alice/session'), true)
  assert.equal(
    out('arn:aws:iam::111122223333:user/anybody', { ...wishes, administrators: new Array<string>() }),
    false,
  )
})
