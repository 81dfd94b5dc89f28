import * as iam from '@aws-sdk/client-iam'
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { identityPolicy, trustPolicy } from '../../../../test/support/identities.ts'
import { startTestService } from '../../../../test/support/kms-service.ts'
import { assume } from '../../../../test/support/sts-session.ts'

const account = 'arn:aws:iam::111122223333'
const GroupName = 'operators'
const RoleName = 'deployer'
const wholeAccount = [{ Principal: { AWS: '111122223333' } }]

describe('groups', () => {
  test('have members, are renamed with them, and go when they are empty', async (t) => {
    const service = await startTestService(t)
    const client = service.iam()
    const { Group } = await client.send(new iam.CreateGroupCommand({ GroupName, Path: '/team/' }))
    assert.equal(Group?.Arn, `${account}:group/team/operators`)
    assert.match(Group.GroupId ?? '', /^AGPA[A-Z2-7]{16}$/)
    await assert.rejects(client.send(new iam.CreateGroupCommand({ GroupName: 'Operators' })), {
      name: 'EntityAlreadyExistsException',
      message: 'Group with name Operators already exists.',
    })
    for (const UserName of ['carol', 'Bob', 'alice']) {
      await client.send(new iam.CreateUserCommand({ UserName }))
      await client.send(new iam.AddUserToGroupCommand({ UserName, GroupName }))
      await client.send(new iam.AddUserToGroupCommand({ UserName, GroupName }))
    }
    await client.send(new iam.UpdateGroupCommand({ GroupName, NewGroupName: 'ops', NewPath: '/x/' }))
    await service.reopen()
    const again = service.iam()
    const ops = { GroupName: 'ops' }
    const whole = await again.send(new iam.GetGroupCommand(ops))
    assert.deepEqual(
      [whole.Group?.Arn, whole.Users?.map(({ UserName }) => UserName)],
      [`${account}:group/x/ops`, ['alice', 'Bob', 'carol']],
    )
    const first = await again.send(new iam.GetGroupCommand({ ...ops, MaxItems: 2 }))
    const rest = await again.send(new iam.GetGroupCommand({ ...ops, Marker: first.Marker }))
    assert.deepEqual(
      [first.IsTruncated, rest.Users?.map(({ UserName }) => UserName), rest.IsTruncated],
      [true, ['carol'], false],
    )
    const ofBob = await again.send(new iam.ListGroupsForUserCommand({ UserName: 'bob' }))
    assert.deepEqual(
      ofBob.Groups?.map((group) => group.GroupName),
      ['ops'],
    )
    for (const UserName of ['alice', 'bob', 'carol']) {
      await assert.rejects(again.send(new iam.DeleteGroupCommand(ops)), {
        name: 'DeleteConflictException',
        message: 'Cannot delete entity, must remove users from group first.',
      })
      await again.send(new iam.RemoveUserFromGroupCommand({ ...ops, UserName }))
    }
    await again.send(
      new iam.PutGroupPolicyCommand({
        ...ops,
        PolicyName: 'a',
        PolicyDocument: identityPolicy({ Action: 'kms:*' }),
      }),
    )
    await assert.rejects(again.send(new iam.DeleteGroupCommand(ops)), {
      name: 'DeleteConflictException',
      message: 'Cannot delete entity, must delete policies first.',
    })
    await again.send(new iam.DeleteGroupPolicyCommand({ ...ops, PolicyName: 'a' }))
    await again.send(new iam.DeleteGroupCommand(ops))
    await assert.rejects(again.send(new iam.GetGroupCommand(ops)), {
      name: 'NoSuchEntityException',
      message: 'The group with name ops cannot be found.',
    })
  })

  test('a user is in ten of them at most', async (t) => {
    const client = (await startTestService(t)).iam()
    await client.send(new iam.CreateUserCommand({ UserName: 'alice' }))
    const join = async (n: number): Promise<void> => {
      await client.send(new iam.CreateGroupCommand({ GroupName: `group-${n}` }))
      await client.send(new iam.AddUserToGroupCommand({ UserName: 'alice', GroupName: `group-${n}` }))
    }
    for (let n = 1; n <= 10; n++) await join(n)
    await assert.rejects(join(11), {
      name: 'LimitExceededException',
      message: 'Cannot exceed quota for GroupsPerUser: 10',
    })
    await client.send(new iam.AddUserToGroupCommand({ UserName: 'alice', GroupName: 'group-1' }))
  })
})

describe('roles', () => {
  test('are made, shown, changed and deleted', async (t) => {
    const service = await startTestService(t)
    const client = service.iam()
    const AssumeRolePolicyDocument = trustPolicy(...wholeAccount)
    const made = await client.send(
      new iam.CreateRoleCommand({
        RoleName,
        Path: '/team/',
        AssumeRolePolicyDocument,
        Description: 'Deploys – on Fridays',
        MaxSessionDuration: 7200,
        Tags: [{ Key: 'team', Value: 'red' }],
      }),
    )
    assert.equal(made.Role?.Arn, `${account}:role/team/deployer`)
    assert.match(made.Role.RoleId ?? '', /^AROA[A-Z2-7]{16}$/)
    await assert.rejects(
      client.send(new iam.CreateRoleCommand({ RoleName: 'Deployer', AssumeRolePolicyDocument })),
      { name: 'EntityAlreadyExistsException', message: 'Role with name Deployer already exists.' },
    )
    await client.send(new iam.UpdateRoleCommand({ RoleName, MaxSessionDuration: 43_200 }))
    const described = await client.send(new iam.UpdateRoleDescriptionCommand({ RoleName, Description: '' }))
    assert.equal(described.Role?.RoleId, made.Role.RoleId)
    await client.send(new iam.UpdateRoleCommand({ RoleName, Description: 'Deploys' }))
    const changed = trustPolicy({ ...wholeAccount[0], Sid: 'changed' })
    await client.send(new iam.UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: changed }))
    await service.reopen()
    const again = service.iam()
    const { Role } = await again.send(new iam.GetRoleCommand({ RoleName }))
    assert.deepEqual(
      [Role?.Description, Role?.MaxSessionDuration, Role?.Tags, Role?.RoleLastUsed],
      ['Deploys', 43_200, [{ Key: 'team', Value: 'red' }], {}],
    )
    assert.equal(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? ''), changed)
    const PolicyArn = 'arn:aws:iam::aws:policy/IAMReadOnlyAccess'
    await again.send(new iam.AttachRolePolicyCommand({ RoleName, PolicyArn }))
    await assert.rejects(again.send(new iam.DeleteRoleCommand({ RoleName })), {
      name: 'DeleteConflictException',
      message: 'Cannot delete entity, must detach all policies first.',
    })
    await again.send(new iam.DetachRolePolicyCommand({ RoleName, PolicyArn }))
    await again.send(new iam.DeleteRoleCommand({ RoleName }))
    await assert.rejects(again.send(new iam.GetRoleCommand({ RoleName })), {
      name: 'NoSuchEntityException',
      message: 'The role with name deployer cannot be found.',
    })
  })

  test('bounds are Amazon’s', async (t) => {
    const client = (await startTestService(t)).iam()
    const create = (input: Partial<iam.CreateRoleCommandInput>): Promise<unknown> =>
      client.send(
        new iam.CreateRoleCommand({
          RoleName,
          AssumeRolePolicyDocument: trustPolicy(...wholeAccount),
          ...input,
        }),
      )
    const rows: readonly (readonly [Partial<iam.CreateRoleCommandInput>, string])[] = [
      [{ MaxSessionDuration: 3599 }, 'ValidationError'],
      [{ MaxSessionDuration: 43_201 }, 'ValidationError'],
      [{ RoleName: 'x'.repeat(65) }, 'ValidationError'],
      [{ RoleName: 'a/b' }, 'ValidationError'],
      [{ Path: 'team/' }, 'ValidationError'],
      [{ Path: '/team' }, 'ValidationError'],
      [{ Description: 'x'.repeat(1001) }, 'ValidationError'],
      [{ PermissionsBoundary: 'arn:aws:iam::aws:policy/AdministratorAccess' }, 'InvalidInputException'],
      [{ AssumeRolePolicyDocument: identityPolicy({ Action: 'kms:*' }) }, 'MalformedPolicyDocumentException'],
      [
        { AssumeRolePolicyDocument: trustPolicy({ Principal: { AWS: `${account}:user/nobody` } }) },
        'MalformedPolicyDocumentException',
      ],
      [
        { AssumeRolePolicyDocument: trustPolicy({ ...wholeAccount[0], Sid: 'x'.repeat(2048) }) },
        'LimitExceededException',
      ],
    ]
    for (const [input, name] of rows) await assert.rejects(create(input), { name }, JSON.stringify(input))
    assert.deepEqual((await client.send(new iam.ListRolesCommand({}))).Roles, [])
    await create({ MaxSessionDuration: 3600 })
  })

  test('trust is for who had the name when it was given, and shows who is gone by id', async (t) => {
    const service = await startTestService(t)
    const root = service.iam()
    const alice = await service.makeUser('alice', { Action: 'sts:AssumeRole' })
    const { User } = await root.send(new iam.GetUserCommand({ UserName: 'alice' }))
    const RoleArn = await service.makeRole(RoleName, [{ Principal: { AWS: `${account}:user/alice` } }])
    await assume(service, alice, { RoleArn })
    await root.send(new iam.DeleteUserPolicyCommand({ UserName: 'alice', PolicyName: 'inline' }))
    await root.send(new iam.DeleteAccessKeyCommand({ UserName: 'alice', AccessKeyId: alice.accessKeyId }))
    await root.send(new iam.DeleteUserCommand({ UserName: 'alice' }))
    await service.reopen()
    const other = await service.makeUser('alice', { Action: 'sts:AssumeRole' })
    await assert.rejects(assume(service, other, { RoleArn }), { name: 'AccessDenied' })
    const { Role } = await service.iam().send(new iam.GetRoleCommand({ RoleName }))
    const shown: unknown = JSON.parse(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? ''))
    assert.deepEqual(shown, {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS: User?.UserId } }],
    })
  })

  test('a role may trust another one', async (t) => {
    const service = await startTestService(t)
    const alice = await service.makeUser('alice', { Action: 'sts:AssumeRole' })
    const first = await service.makeRole('first', wholeAccount, { Action: 'sts:AssumeRole' })
    const second = await service.makeRole('second', [{ Principal: { AWS: first } }])
    await assert.rejects(assume(service, alice, { RoleArn: second }), { name: 'AccessDenied' })
    await assume(service, await assume(service, alice, { RoleArn: first }), { RoleArn: second })
  })

  test('when one was last used is known, over a restart too', async (t) => {
    const service = await startTestService(t)
    const alice = await service.makeUser('alice', { Action: 'sts:AssumeRole' })
    const RoleArn = await service.makeRole(RoleName, wholeAccount)
    const session = await assume(service, alice, { RoleArn })
    const lastUsed = async (): Promise<iam.RoleLastUsed | undefined> =>
      (await service.iam().send(new iam.GetRoleCommand({ RoleName }))).Role?.RoleLastUsed
    assert.deepEqual(await lastUsed(), {})
    await service.sts(session).send(new GetCallerIdentityCommand({}))
    await service.reopen()
    const use = await lastUsed()
    assert.equal(use?.Region, 'us-east-1')
    assert.ok(use.LastUsedDate instanceof Date)
  })
})
