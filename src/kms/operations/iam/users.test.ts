import * as iam from '@aws-sdk/client-iam'
import { ListKeysCommand } from '@aws-sdk/client-kms'
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { identityPolicy } from '../../../../test/support/identities.ts'
import { startTestService } from '../../../../test/support/kms-service.ts'
import { enableDevice } from '../../../../test/support/sts-session.ts'

const alice = { UserName: 'alice' }
const PolicyDocument = identityPolicy({ Action: 'kms:*' })

describe('users', () => {
  test('are made, shown, renamed, moved and deleted; names differ in more than case', async (t) => {
    const service = await startTestService(t)
    const client = service.iam()
    const made = await client.send(
      new iam.CreateUserCommand({ ...alice, Path: '/team/', Tags: [{ Key: 'Team', Value: 'red' }] }),
    )
    assert.equal(made.User?.Arn, 'arn:aws:iam::111122223333:user/team/alice')
    assert.deepEqual(made.User.Tags, [{ Key: 'Team', Value: 'red' }])
    await assert.rejects(client.send(new iam.CreateUserCommand({ UserName: 'Alice' })), {
      name: 'EntityAlreadyExistsException',
      message: 'User with name Alice already exists.',
    })
    await client.send(new iam.CreateUserCommand({ UserName: 'bob' }))
    await assert.rejects(client.send(new iam.UpdateUserCommand({ ...alice, NewUserName: 'BOB' })), {
      name: 'EntityAlreadyExistsException',
      message: 'User with name BOB already exists.',
    })
    await client.send(new iam.UpdateUserCommand({ ...alice, NewUserName: 'Alice', NewPath: '/' }))
    await service.reopen()
    const again = service.iam()
    const { User } = await again.send(new iam.GetUserCommand({ UserName: 'ALICE' }))
    assert.deepEqual(
      [User?.UserName, User?.Arn, User?.UserId, User?.Tags],
      ['Alice', 'arn:aws:iam::111122223333:user/Alice', made.User.UserId, [{ Key: 'Team', Value: 'red' }]],
    )
    await again.send(new iam.DeleteUserCommand({ UserName: 'bob' }))
    await assert.rejects(again.send(new iam.GetUserCommand({ UserName: 'bob' })), {
      name: 'NoSuchEntityException',
      message: 'The user with name bob cannot be found.',
    })
    const reborn = await again.send(new iam.CreateUserCommand({ UserName: 'bob' }))
    assert.match(reborn.User?.UserId ?? '', /^AIDA[A-Z2-7]{16}$/)
  })

  test('another name, path or tag holds with the next request', async (t) => {
    const service = await startTestService(t)
    const root = service.iam()
    const credentials = await service.makeUser('alice', {
      Action: 'kms:ListKeys',
      Condition: { StringEquals: { 'aws:PrincipalTag/team': 'red' } },
    })
    const [kms, sts] = [service.kms(credentials), service.sts(credentials)]
    await assert.rejects(kms.send(new ListKeysCommand({})), { name: 'AccessDeniedException' })
    await root.send(new iam.TagUserCommand({ ...alice, Tags: [{ Key: 'team', Value: 'red' }] }))
    await kms.send(new ListKeysCommand({}))
    await root.send(new iam.UntagUserCommand({ ...alice, TagKeys: ['TEAM'] }))
    await assert.rejects(kms.send(new ListKeysCommand({})), { name: 'AccessDeniedException' })
    const before = await sts.send(new GetCallerIdentityCommand({}))
    await root.send(new iam.UpdateUserCommand({ ...alice, NewUserName: 'anna', NewPath: '/x/' }))
    const after = await sts.send(new GetCallerIdentityCommand({}))
    assert.equal(after.Arn, 'arn:aws:iam::111122223333:user/x/anna')
    assert.equal(after.UserId, before.UserId)
    await assert.rejects(root.send(new iam.GetUserCommand(alice)), { name: 'NoSuchEntityException' })
    await root.send(new iam.CreateUserCommand(alice))
    assert.equal((await sts.send(new GetCallerIdentityCommand({}))).UserId, before.UserId)
  })

  test('a user goes only when nothing hangs on it', async (t) => {
    const service = await startTestService(t)
    const client = service.iam()
    await service.makeUser('alice', { Action: 'kms:*' })
    const GroupName = 'operators'
    const PolicyArn = 'arn:aws:iam::aws:policy/AdministratorAccess'
    await client.send(new iam.CreateGroupCommand({ GroupName }))
    await client.send(new iam.AddUserToGroupCommand({ ...alice, GroupName }))
    await client.send(new iam.AttachUserPolicyCommand({ ...alice, PolicyArn }))
    const device = await enableDevice(client, 'alice', 'phone')
    const { AccessKeyMetadata } = await client.send(new iam.ListAccessKeysCommand(alice))
    const AccessKeyId = AccessKeyMetadata?.[0]?.AccessKeyId
    const steps: readonly (readonly [string, () => Promise<unknown>])[] = [
      ['detach all policies', () => client.send(new iam.DetachUserPolicyCommand({ ...alice, PolicyArn }))],
      [
        'delete policies',
        () => client.send(new iam.DeleteUserPolicyCommand({ ...alice, PolicyName: 'inline' })),
      ],
      ['delete access keys', () => client.send(new iam.DeleteAccessKeyCommand({ ...alice, AccessKeyId }))],
      [
        'remove users from group',
        () => client.send(new iam.RemoveUserFromGroupCommand({ ...alice, GroupName })),
      ],
      [
        'deactivate MFA device',
        () =>
          client.send(new iam.DeactivateMFADeviceCommand({ ...alice, SerialNumber: device.serialNumber })),
      ],
    ]
    for (const [toDo, step] of steps) {
      await assert.rejects(client.send(new iam.DeleteUserCommand(alice)), {
        name: 'DeleteConflictException',
        message: `Cannot delete entity, must ${toDo} first.`,
      })
      await step()
    }
    await client.send(new iam.DeleteUserCommand(alice))
  })

  test('what this service does not offer is refused, not ignored', async (t) => {
    const service = await startTestService(t)
    const PermissionsBoundary = 'arn:aws:iam::aws:policy/AdministratorAccess'
    await assert.rejects(service.iam().send(new iam.CreateUserCommand({ ...alice, PermissionsBoundary })), {
      name: 'InvalidInputException',
      message: 'PermissionsBoundary is not offered by this service.',
    })
    await service.iam().send(new iam.CreateUserCommand(alice))
    await assert.rejects(
      service.iam().send(new iam.PutUserPermissionsBoundaryCommand({ ...alice, PermissionsBoundary })),
      { name: 'InvalidAction' },
    )
    await assert.rejects(
      service.iam().send(new iam.CreateLoginProfileCommand({ ...alice, Password: 'not a password' })),
      { name: 'InvalidAction' },
    )
  })
})

describe('access keys', () => {
  test('a deactivated or deleted one is refused at once, and works again when activated', async (t) => {
    const service = await startTestService(t)
    const root = service.iam()
    const credentials = await service.makeUser('alice')
    const sts = service.sts(credentials)
    const key = { ...alice, AccessKeyId: credentials.accessKeyId }
    const refused = { name: 'InvalidClientTokenId' }
    await sts.send(new GetCallerIdentityCommand({}))
    await root.send(new iam.UpdateAccessKeyCommand({ ...key, Status: 'Inactive' }))
    await assert.rejects(sts.send(new GetCallerIdentityCommand({})), refused)
    await root.send(new iam.UpdateAccessKeyCommand({ ...key, Status: 'Active' }))
    await sts.send(new GetCallerIdentityCommand({}))
    await root.send(new iam.DeleteAccessKeyCommand(key))
    await assert.rejects(sts.send(new GetCallerIdentityCommand({})), refused)
  })

  test('a user has two at most, and manages its own without naming itself', async (t) => {
    const service = await startTestService(t)
    const credentials = await service.makeUser('alice', {
      Action: 'iam:*AccessKey*',
      Resource: 'arn:aws:iam::111122223333:user/${aws:username}',
    })
    const self = service.iam(credentials)
    const { AccessKey } = await self.send(new iam.CreateAccessKeyCommand({}))
    assert.equal(AccessKey?.UserName, 'alice')
    await assert.rejects(self.send(new iam.CreateAccessKeyCommand({})), {
      name: 'LimitExceededException',
      message: 'Cannot exceed quota for AccessKeysPerUser: 2',
    })
    await service.iam().send(new iam.CreateUserCommand({ UserName: 'bob' }))
    await assert.rejects(self.send(new iam.CreateAccessKeyCommand({ UserName: 'bob' })), {
      name: 'AccessDenied',
    })
    const first = await self.send(new iam.ListAccessKeysCommand({ MaxItems: 1 }))
    const second = await self.send(new iam.ListAccessKeysCommand({ MaxItems: 1, Marker: first.Marker }))
    assert.deepEqual(
      [first, second].map(({ AccessKeyMetadata: [one] = [], IsTruncated }) => [
        one?.AccessKeyId,
        IsTruncated,
      ]),
      [
        [credentials.accessKeyId, true],
        [AccessKey.AccessKeyId, false],
      ],
    )
    await assert.rejects(
      service
        .iam()
        .send(new iam.DeleteAccessKeyCommand({ UserName: 'bob', AccessKeyId: AccessKey.AccessKeyId })),
      { name: 'NoSuchEntityException' },
    )
  })

  test('when one was last used is known, over a restart too', async (t) => {
    const service = await startTestService(t)
    const credentials = await service.makeUser('alice')
    const command = new iam.GetAccessKeyLastUsedCommand({ AccessKeyId: credentials.accessKeyId })
    const before = await service.iam().send(command)
    assert.deepEqual(
      [before.UserName, before.AccessKeyLastUsed],
      ['alice', { ServiceName: 'N/A', Region: 'N/A' }],
    )
    await service.sts(credentials).send(new GetCallerIdentityCommand({}))
    await service.reopen()
    const { AccessKeyLastUsed: use } = await service.iam().send(command)
    assert.deepEqual([use?.ServiceName, use?.Region], ['sts', 'us-east-1'])
    assert.ok(use?.LastUsedDate instanceof Date)
    await assert.rejects(
      service.iam().send(new iam.GetAccessKeyLastUsedCommand({ AccessKeyId: 'AKIAIOSFODNN7EXAMPLE' })),
      { name: 'NoSuchEntityException' },
    )
  })
})

describe('tags', () => {
  test('keys differ in more than case, and come back as they were put last', async (t) => {
    const service = await startTestService(t)
    const client = service.iam()
    await service.makeRole('deployer', [{ Principal: { AWS: '111122223333' } }])
    await client.send(new iam.CreatePolicyCommand({ PolicyName: 'reader', PolicyDocument }))
    await client.send(new iam.CreateUserCommand(alice))
    const RoleName = 'deployer'
    const PolicyArn = 'arn:aws:iam::111122223333:policy/reader'
    const first = [
      { Key: 'Team', Value: 'red' },
      { Key: 'Größe', Value: '' },
      { Key: '__proto__', Value: 'x' },
    ]
    const second = [{ Key: 'TEAM', Value: 'blue' }]
    for (const Tags of [first, second]) {
      await client.send(new iam.TagUserCommand({ ...alice, Tags }))
      await client.send(new iam.TagRoleCommand({ RoleName, Tags }))
      await client.send(new iam.TagPolicyCommand({ PolicyArn, Tags }))
    }
    await service.reopen()
    const again = service.iam()
    const lists = [
      await again.send(new iam.ListUserTagsCommand(alice)),
      await again.send(new iam.ListRoleTagsCommand({ RoleName })),
      await again.send(new iam.ListPolicyTagsCommand({ PolicyArn })),
    ]
    for (const { Tags } of lists) {
      assert.deepEqual(Tags, [...first.slice(1), ...second].sort(byKey))
    }
    await again.send(new iam.UntagUserCommand({ ...alice, TagKeys: ['team'] }))
    const { Tags } = await again.send(new iam.ListUserTagsCommand(alice))
    assert.deepEqual(Tags, first.slice(1).sort(byKey))
  })

  test('what is no tag is refused', async (t) => {
    const service = await startTestService(t)
    const client = service.iam()
    await client.send(new iam.CreateUserCommand(alice))
    const many = (count: number, prefix = 'key'): iam.Tag[] =>
      Array.from({ length: count }, (_, i) => ({ Key: `${prefix}-${i}`, Value: '' }))
    const rows: readonly (readonly [iam.Tag[], string])[] = [
      [[{ Key: 'aws:team', Value: 'red' }], 'InvalidInputException'],
      [
        [
          { Key: 'team', Value: 'red' },
          { Key: 'Team', Value: 'blue' },
        ],
        'InvalidInputException',
      ],
      [[{ Key: 'x'.repeat(129), Value: '' }], 'ValidationError'],
      [[{ Key: 'x', Value: 'y'.repeat(257) }], 'ValidationError'],
      [[{ Key: 'a*b', Value: '' }], 'ValidationError'],
      [many(51), 'ValidationError'],
    ]
    for (const [Tags, name] of rows) {
      await assert.rejects(client.send(new iam.TagUserCommand({ ...alice, Tags })), { name })
      await assert.rejects(client.send(new iam.CreateUserCommand({ UserName: 'bob', Tags })), { name })
    }
    await client.send(new iam.TagUserCommand({ ...alice, Tags: many(50) }))
    await assert.rejects(client.send(new iam.TagUserCommand({ ...alice, Tags: many(1, 'other') })), {
      name: 'LimitExceededException',
    })
    await assert.rejects(client.send(new iam.GetUserCommand({ UserName: 'bob' })), {
      name: 'NoSuchEntityException',
    })
  })
})

function byKey(a: iam.Tag, b: iam.Tag): number {
  return (a.Key ?? '').toLowerCase() < (b.Key ?? '').toLowerCase() ? -1 : 1
}
