import * as iam from '@aws-sdk/client-iam'
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { identityPolicy } from '../../../../test/support/identities.ts'
import { startTestService } from '../../../../test/support/kms-service.ts'
import { page } from './pages.ts'

const PolicyDocument = identityPolicy({ Action: 'kms:*' })
const trust = [{ Principal: { AWS: '111122223333' } }]

describe('pages', () => {
  test('together are the whole list, each once and in order, whatever comes and goes in between', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 40 }),
        fc.integer({ min: 1, max: 7 }),
        fc.array(fc.tuple(fc.string({ minLength: 1 }), fc.nat())),
        (names, MaxItems, changes) => {
          const all = new Set(names)
          const staying = new Set(names)
          const seen: string[] = []
          let Marker: string | undefined
          for (;;) {
            const { items, more } = page([...all], { Marker, MaxItems }, (name) => name)
            seen.push(...items)
            assert.equal(new Set(seen).size, seen.length, 'each once')
            assert.ok(items.length <= MaxItems)
            assert.equal(more.IsTruncated, more.Marker !== undefined)
            Marker = more.Marker
            if (Marker === undefined) break
            const [come, go] = changes.pop() ?? []
            if (come !== undefined && !staying.has(come)) all.add(come)
            const gone = go === undefined ? undefined : [...all][go % all.size]
            if (gone !== undefined) {
              all.delete(gone)
              staying.delete(gone)
            }
          }
          assert.deepEqual(seen, [...new Set(seen)].sort())
          for (const name of staying) assert.ok(seen.includes(name), name)
        },
      ),
    )
  })

  test('a marker that nobody gave out, and a size out of bounds, are refused', async (t) => {
    const client = (await startTestService(t)).iam()
    for (const input of [{ Marker: '***' }, { MaxItems: 0 }, { MaxItems: 1001 }]) {
      await assert.rejects(client.send(new iam.ListUsersCommand(input)), { name: 'ValidationError' })
    }
  })
})

test('users, groups, roles and policies are listed by path, in pages, by the SDK’s own paginators', async (t) => {
  const service = await startTestService(t)
  const client = service.iam()
  const names = ['delta', 'Alpha', 'charlie', 'Bravo', 'echo']
  for (const [index, name] of names.entries()) {
    const Path = index < 3 ? '/team/' : '/'
    await client.send(new iam.CreateUserCommand({ UserName: name, Path }))
    await client.send(new iam.CreateGroupCommand({ GroupName: name, Path }))
    await client.send(
      new iam.CreateRoleCommand({
        RoleName: name,
        Path,
        AssumeRolePolicyDocument: JSON.stringify({
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', ...trust[0] }],
        }),
      }),
    )
    await client.send(new iam.CreatePolicyCommand({ PolicyName: name, Path, PolicyDocument }))
  }
  const all = ['Alpha', 'Bravo', 'charlie', 'delta', 'echo']
  const team = ['Alpha', 'charlie', 'delta']
  for (const [PathPrefix, wanted] of [
    ['/', all],
    ['/team/', team],
  ] as const) {
    const config = { client, pageSize: 2, stopOnSameToken: true }
    const users: unknown[] = []
    for await (const { Users = [] } of iam.paginateListUsers(config, { PathPrefix })) {
      assert.ok(Users.length <= 2)
      users.push(...Users.map(({ UserName }) => UserName))
    }
    assert.deepEqual(users, wanted)
    const groups: unknown[] = []
    for await (const { Groups = [] } of iam.paginateListGroups(config, { PathPrefix })) {
      groups.push(...Groups.map(({ GroupName }) => GroupName))
    }
    assert.deepEqual(groups, wanted)
    const roles: unknown[] = []
    for await (const { Roles = [] } of iam.paginateListRoles(config, { PathPrefix })) {
      roles.push(...Roles.map(({ RoleName }) => RoleName))
    }
    assert.deepEqual(roles, wanted)
    const policies = new Set<unknown>()
    for await (const { Policies = [] } of iam.paginateListPolicies(config, { PathPrefix, Scope: 'Local' })) {
      for (const { PolicyName } of Policies) policies.add(PolicyName)
    }
    assert.deepEqual(policies, new Set(wanted))
  }
})

test('pages go on behind the longest names that there are', async (t) => {
  const client = (await startTestService(t)).iam()
  const Path = `/${'p'.repeat(510)}/`
  const long = (letter: string): string => letter.repeat(128)
  for (const PolicyName of [long('a'), long('b')]) {
    await client.send(new iam.CreatePolicyCommand({ PolicyName, Path, PolicyDocument }))
  }
  const policies: unknown[] = []
  for await (const { Policies = [] } of iam.paginateListPolicies(
    { client, pageSize: 1, stopOnSameToken: true },
    { Scope: 'Local' },
  )) {
    policies.push(...Policies.map(({ PolicyName }) => PolicyName))
  }
  assert.deepEqual(policies, [long('a'), long('b')])
  const Tags = [
    { Key: long('𝐚'), Value: '' },
    { Key: long('𝐛'), Value: '' },
  ].map(({ Key, Value }) => ({ Key: Key.slice(0, 128), Value }))
  await client.send(new iam.CreateUserCommand({ UserName: 'alice', Tags }))
  const tags: unknown[] = []
  for await (const { Tags: some = [] } of iam.paginateListUserTags(
    { client, pageSize: 1, stopOnSameToken: true },
    { UserName: 'alice' },
  )) {
    tags.push(...some)
  }
  assert.deepEqual(tags, Tags)
})

describe('the account', () => {
  test('its summary counts', async (t) => {
    const service = await startTestService(t)
    const client = service.iam()
    await service.makeUser('alice')
    await service.makeUser('bob')
    await service.makeRole('deployer', trust)
    await client.send(new iam.CreateGroupCommand({ GroupName: 'operators' }))
    const { Policy } = await client.send(
      new iam.CreatePolicyCommand({ PolicyName: 'reader', PolicyDocument }),
    )
    await client.send(new iam.CreatePolicyVersionCommand({ PolicyArn: Policy?.Arn, PolicyDocument }))
    const { SummaryMap } = await client.send(new iam.GetAccountSummaryCommand({}))
    assert.deepEqual(SummaryMap, {
      AccountAccessKeysPresent: 1,
      AccountMFAEnabled: 0,
      Groups: 1,
      MFADevices: 0,
      MFADevicesInUse: 0,
      Policies: 1,
      PolicyVersionsInUse: 2,
      Providers: 0,
      Roles: 1,
      Users: 2,
      AccessKeysPerUserQuota: 2,
      AttachedPoliciesPerGroupQuota: 10,
      AttachedPoliciesPerRoleQuota: 10,
      AttachedPoliciesPerUserQuota: 10,
      AssumeRolePolicySizeQuota: 2048,
      GroupPolicySizeQuota: 5120,
      GroupsPerUserQuota: 10,
      GroupsQuota: 300,
      PoliciesQuota: 1500,
      PolicySizeQuota: 6144,
      RolePolicySizeQuota: 10_240,
      RolesQuota: 1000,
      UserPolicySizeQuota: 2048,
      UsersQuota: 5000,
      VersionsPerPolicyQuota: 5,
    })
  })

  test('its authorization details show everybody with all policies, in pages', async (t) => {
    const service = await startTestService(t)
    const client = service.iam()
    await service.makeUser('alice', { Action: 'kms:ListKeys' })
    await service.makeRole('deployer', trust, { Action: 'kms:ListKeys' })
    const GroupName = 'operators'
    await client.send(new iam.CreateGroupCommand({ GroupName }))
    await client.send(new iam.AddUserToGroupCommand({ GroupName, UserName: 'alice' }))
    const { Policy } = await client.send(
      new iam.CreatePolicyCommand({ PolicyName: 'reader', PolicyDocument }),
    )
    for (const PolicyArn of [Policy?.Arn, 'arn:aws:iam::aws:policy/IAMReadOnlyAccess']) {
      await client.send(new iam.AttachGroupPolicyCommand({ GroupName, PolicyArn }))
    }
    const whole = await client.send(new iam.GetAccountAuthorizationDetailsCommand({}))
    const [user, group, role] = [
      whole.UserDetailList?.[0],
      whole.GroupDetailList?.[0],
      whole.RoleDetailList?.[0],
    ]
    assert.deepEqual([user?.UserName, user?.GroupList], ['alice', ['operators']])
    const inline = identityPolicy({ Action: 'kms:ListKeys' })
    for (const list of [user?.UserPolicyList, role?.RolePolicyList]) {
      assert.deepEqual(
        list?.map(({ PolicyName, PolicyDocument: text }) => [PolicyName, decodeURIComponent(text ?? '')]),
        [['inline', inline]],
      )
    }
    assert.deepEqual(
      group?.AttachedManagedPolicies?.map(({ PolicyName }) => PolicyName),
      ['reader', 'IAMReadOnlyAccess'],
    )
    assert.match(
      decodeURIComponent(role?.AssumeRolePolicyDocument ?? ''),
      /"Principal":\{"AWS":"111122223333"\}/,
    )
    assert.deepEqual(whole.Policies?.map(({ PolicyName }) => PolicyName).sort(), [
      'IAMReadOnlyAccess',
      'reader',
    ])
    const version = whole.Policies.find(({ PolicyName }) => PolicyName === 'reader')?.PolicyVersionList?.[0]
    assert.equal(decodeURIComponent(version?.Document ?? ''), PolicyDocument)
    const seen: unknown[] = []
    for await (const one of iam.paginateGetAccountAuthorizationDetails(
      { client, pageSize: 1, stopOnSameToken: true },
      {},
    )) {
      const { UserDetailList: users = [], GroupDetailList: groups = [] } = one
      const { RoleDetailList: roles = [], Policies: policies = [] } = one
      const names = [
        ...users.map(({ UserName }) => UserName),
        ...groups.map((detail) => detail.GroupName),
        ...roles.map(({ RoleName }) => RoleName),
        ...policies.map(({ PolicyName }) => PolicyName),
      ]
      assert.equal(names.length, 1)
      seen.push(...names)
    }
    assert.deepEqual(seen.sort(), ['IAMReadOnlyAccess', 'alice', 'deployer', 'operators', 'reader'])
    const own = await client.send(
      new iam.GetAccountAuthorizationDetailsCommand({ Filter: ['LocalManagedPolicy'] }),
    )
    assert.deepEqual([own.Policies?.length, own.UserDetailList, own.RoleDetailList], [1, [], []])
  })
})
