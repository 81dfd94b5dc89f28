import * as iam from '@aws-sdk/client-iam'
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { identityPolicy } from '../../../../test/support/identities.ts'
import { startTestService } from '../../../../test/support/kms-service.ts'

const UserName = 'alice'
const GroupName = 'operators'
const RoleName = 'deployer'
const trust = [{ Principal: { AWS: '111122223333' } }]
const administrator = 'arn:aws:iam::aws:policy/AdministratorAccess'
const reader = 'arn:aws:iam::111122223333:policy/team/reader'

/** With what percent-encoding is for. */
const PolicyDocument = `{
  "Version": "2012-10-17",
  "Statement": { "Sid": "a", "Effect": "Allow", "Action": "kms:*", "Resource": "*",
    "Condition": { "StringLike": { "aws:PrincipalTag/team": "r!d (100% + \\u00e9) 'é' / ?*" } } }
}`

interface InlineCalls {
  readonly put: (PolicyName: string, document: string) => Promise<unknown>
  readonly get: (PolicyName: string) => Promise<{ PolicyDocument?: string | undefined }>
  readonly list: (page?: {
    MaxItems?: number
    Marker?: string | undefined
  }) => Promise<{ PolicyNames?: string[] | undefined; Marker?: string | undefined }>
  readonly remove: (PolicyName: string) => Promise<unknown>
}

function inlineCalls(client: iam.IAMClient): Record<'User' | 'Group' | 'Role', InlineCalls> {
  return {
    User: {
      put: (PolicyName, document) =>
        client.send(new iam.PutUserPolicyCommand({ UserName, PolicyName, PolicyDocument: document })),
      get: (PolicyName) => client.send(new iam.GetUserPolicyCommand({ UserName, PolicyName })),
      list: (page) => client.send(new iam.ListUserPoliciesCommand({ UserName, ...page })),
      remove: (PolicyName) => client.send(new iam.DeleteUserPolicyCommand({ UserName, PolicyName })),
    },
    Group: {
      put: (PolicyName, document) =>
        client.send(new iam.PutGroupPolicyCommand({ GroupName, PolicyName, PolicyDocument: document })),
      get: (PolicyName) => client.send(new iam.GetGroupPolicyCommand({ GroupName, PolicyName })),
      list: (page) => client.send(new iam.ListGroupPoliciesCommand({ GroupName, ...page })),
      remove: (PolicyName) => client.send(new iam.DeleteGroupPolicyCommand({ GroupName, PolicyName })),
    },
    Role: {
      put: (PolicyName, document) =>
        client.send(new iam.PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument: document })),
      get: (PolicyName) => client.send(new iam.GetRolePolicyCommand({ RoleName, PolicyName })),
      list: (page) => client.send(new iam.ListRolePoliciesCommand({ RoleName, ...page })),
      remove: (PolicyName) => client.send(new iam.DeleteRolePolicyCommand({ RoleName, PolicyName })),
    },
  }
}

/** A policy of that many characters, white space left out, and some white space. */
function policyOfSize(size: number): string {
  const empty = identityPolicy({ Sid: '', Action: 'kms:ListKeys' })
  return `  ${identityPolicy({ Sid: 'x'.repeat(size - empty.length), Action: 'kms:ListKeys' })}\n\t `
}

async function makeOwners(client: iam.IAMClient): Promise<void> {
  await client.send(new iam.CreateUserCommand({ UserName }))
  await client.send(new iam.CreateGroupCommand({ GroupName }))
}

describe('inline policies', () => {
  test('come back as they were put, over a restart too, for users, groups and roles', async (t) => {
    const service = await startTestService(t)
    await makeOwners(service.iam())
    await service.makeRole(RoleName, trust)
    for (const [label, calls] of Object.entries(inlineCalls(service.iam()))) {
      await calls.put('b', identityPolicy({ Action: 'kms:ListKeys' }))
      await calls.put('a', identityPolicy({ Action: 'kms:ListKeys' }))
      await calls.put('b', PolicyDocument)
      await assert.rejects(calls.get('c'), {
        name: 'NoSuchEntityException',
        message: `The ${label.toLowerCase()} policy with name c cannot be found.`,
      })
    }
    await service.reopen()
    for (const calls of Object.values(inlineCalls(service.iam()))) {
      const encoded = (await calls.get('b')).PolicyDocument ?? ''
      assert.match(encoded, /^[A-Za-z0-9%._~-]+$/)
      assert.equal(decodeURIComponent(encoded), PolicyDocument)
      const first = await calls.list({ MaxItems: 1 })
      assert.deepEqual(first.PolicyNames, ['a'])
      assert.deepEqual((await calls.list({ Marker: first.Marker })).PolicyNames, ['b'])
      await calls.remove('a')
      await assert.rejects(calls.remove('a'), { name: 'NoSuchEntityException' })
      assert.deepEqual((await calls.list()).PolicyNames, ['b'])
    }
  })

  test('all of one user, group or role together have a bound, white space not counted', async (t) => {
    const service = await startTestService(t)
    await makeOwners(service.iam())
    await service.makeRole(RoleName, trust)
    const calls = inlineCalls(service.iam())
    for (const [label, quota] of [
      ['User', 2048],
      ['Group', 5120],
      ['Role', 10_240],
    ] as const) {
      const { put } = calls[label]
      await put('a', policyOfSize(1000))
      await put('b', policyOfSize(quota - 1000))
      await put('b', policyOfSize(quota - 1000))
      await assert.rejects(put('b', policyOfSize(quota - 999)), {
        name: 'LimitExceededException',
        message: `Maximum policy size of ${quota} bytes exceeded for ${label.toLowerCase()}`,
      })
    }
  })

  test('what cannot be obeyed is refused', async (t) => {
    const service = await startTestService(t)
    await makeOwners(service.iam())
    const { put } = inlineCalls(service.iam()).User
    for (const document of [
      'not JSON',
      '{"Version":"2012-10-17","Statement":[]}',
      identityPolicy({ Action: 'kms:*', Principal: '*' }),
      identityPolicy({ Action: 'kms:*', Condition: { StringIsh: { 'aws:username': 'alice' } } }),
      '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:*"}}',
    ]) {
      await assert.rejects(put('a', document), { name: 'MalformedPolicyDocumentException' }, document)
    }
    await assert.rejects(put('a', '\u0001'), { name: 'ValidationError' })
  })
})

describe('managed policies', () => {
  test('are made, versioned, listed and deleted', async (t) => {
    const service = await startTestService(t)
    const client = service.iam()
    const { Policy } = await client.send(
      new iam.CreatePolicyCommand({
        PolicyName: 'reader',
        Path: '/team/',
        Description: 'reads',
        Tags: [{ Key: 'team', Value: 'red' }],
        PolicyDocument,
      }),
    )
    assert.equal(Policy?.Arn, reader)
    assert.match(Policy.PolicyId ?? '', /^ANPA[A-Z2-7]{16}$/)
    await assert.rejects(client.send(new iam.CreatePolicyCommand({ PolicyName: 'READER', PolicyDocument })), {
      name: 'EntityAlreadyExistsException',
      message: 'A policy called READER already exists. Duplicate names are not allowed.',
    })
    const version = (SetAsDefault: boolean) =>
      client.send(
        new iam.CreatePolicyVersionCommand({
          PolicyArn: reader,
          PolicyDocument: identityPolicy({ Action: 'kms:ListKeys' }),
          SetAsDefault,
        }),
      )
    for (const [setAsDefault, id] of [
      [false, 'v2'],
      [true, 'v3'],
      [false, 'v4'],
      [false, 'v5'],
    ] as const) {
      const { PolicyVersion } = await version(setAsDefault)
      assert.deepEqual([PolicyVersion?.VersionId, PolicyVersion?.IsDefaultVersion], [id, setAsDefault])
    }
    await assert.rejects(version(false), { name: 'LimitExceededException' })
    await assert.rejects(
      client.send(new iam.DeletePolicyVersionCommand({ PolicyArn: reader, VersionId: 'v3' })),
      { name: 'DeleteConflictException', message: 'Cannot delete the default version of a policy.' },
    )
    await client.send(new iam.DeletePolicyVersionCommand({ PolicyArn: reader, VersionId: 'v5' }))
    await service.reopen()
    const again = service.iam()
    const { PolicyVersion: next } = await again.send(
      new iam.CreatePolicyVersionCommand({ PolicyArn: reader, PolicyDocument }),
    )
    assert.equal(next?.VersionId, 'v6', 'a number is never used again')
    const { Versions } = await again.send(new iam.ListPolicyVersionsCommand({ PolicyArn: reader }))
    assert.deepEqual(
      Versions?.map(({ VersionId, IsDefaultVersion }) => `${VersionId ?? ''} ${String(IsDefaultVersion)}`),
      ['v6 false', 'v4 false', 'v3 true', 'v2 false', 'v1 false'],
    )
    const first = await again.send(new iam.GetPolicyVersionCommand({ PolicyArn: reader, VersionId: 'v1' }))
    assert.equal(decodeURIComponent(first.PolicyVersion?.Document ?? ''), PolicyDocument)
    const shown = await again.send(new iam.GetPolicyCommand({ PolicyArn: reader }))
    assert.deepEqual(
      [shown.Policy?.DefaultVersionId, shown.Policy?.Description, shown.Policy?.AttachmentCount],
      ['v3', 'reads', 0],
    )
    assert.deepEqual(shown.Policy?.Tags, [{ Key: 'team', Value: 'red' }])
    await assert.rejects(again.send(new iam.DeletePolicyCommand({ PolicyArn: reader })), {
      name: 'DeleteConflictException',
      message: /^This policy has more than one version/,
    })
    for (const VersionId of ['v1', 'v2', 'v4', 'v6']) {
      await again.send(new iam.DeletePolicyVersionCommand({ PolicyArn: reader, VersionId }))
    }
    await again.send(new iam.DeletePolicyCommand({ PolicyArn: reader }))
    await assert.rejects(again.send(new iam.GetPolicyCommand({ PolicyArn: reader })), {
      name: 'NoSuchEntityException',
      message: `Policy ${reader} does not exist or is not attachable.`,
    })
  })

  test('are attached to users, groups and roles, and stay while they are', async (t) => {
    const service = await startTestService(t)
    const client = service.iam()
    await makeOwners(client)
    await service.makeRole(RoleName, trust)
    await client.send(new iam.CreatePolicyCommand({ PolicyName: 'reader', Path: '/team/', PolicyDocument }))
    for (const PolicyArn of [reader, administrator]) {
      for (let time = 0; time < 2; time++) {
        await client.send(new iam.AttachUserPolicyCommand({ UserName, PolicyArn }))
        await client.send(new iam.AttachGroupPolicyCommand({ GroupName, PolicyArn }))
        await client.send(new iam.AttachRolePolicyCommand({ RoleName, PolicyArn }))
      }
    }
    await assert.rejects(client.send(new iam.DeletePolicyCommand({ PolicyArn: reader })), {
      name: 'DeleteConflictException',
      message: 'Cannot delete a policy attached to entities.',
    })
    await service.reopen()
    const again = service.iam()
    const lists = [
      await again.send(new iam.ListAttachedUserPoliciesCommand({ UserName })),
      await again.send(new iam.ListAttachedGroupPoliciesCommand({ GroupName })),
      await again.send(new iam.ListAttachedRolePoliciesCommand({ RoleName })),
    ]
    for (const { AttachedPolicies } of lists) {
      assert.deepEqual(AttachedPolicies, [
        { PolicyName: 'reader', PolicyArn: reader },
        { PolicyName: 'AdministratorAccess', PolicyArn: administrator },
      ])
    }
    const ofPath = await again.send(
      new iam.ListAttachedUserPoliciesCommand({ UserName, PathPrefix: '/team/' }),
    )
    assert.deepEqual(
      ofPath.AttachedPolicies?.map(({ PolicyName }) => PolicyName),
      ['reader'],
    )
    const entities = await again.send(new iam.ListEntitiesForPolicyCommand({ PolicyArn: reader }))
    assert.deepEqual(
      [
        entities.PolicyUsers?.[0]?.UserName,
        entities.PolicyGroups?.[0]?.GroupName,
        entities.PolicyRoles?.[0]?.RoleName,
      ],
      [UserName, GroupName, RoleName],
    )
    const users = await again.send(
      new iam.ListEntitiesForPolicyCommand({ PolicyArn: reader, EntityFilter: 'User' }),
    )
    assert.deepEqual([users.PolicyUsers?.length, users.PolicyGroups, users.PolicyRoles], [1, [], []])
    const { Policy } = await again.send(new iam.GetPolicyCommand({ PolicyArn: reader }))
    assert.equal(Policy?.AttachmentCount, 3)
    await again.send(new iam.DetachUserPolicyCommand({ UserName, PolicyArn: reader }))
    await assert.rejects(again.send(new iam.DetachUserPolicyCommand({ UserName, PolicyArn: reader })), {
      name: 'NoSuchEntityException',
      message: `Policy ${reader} was not found.`,
    })
  })

  test('ten of them at most', async (t) => {
    const service = await startTestService(t)
    const client = service.iam()
    await makeOwners(client)
    const attach = async (n: number): Promise<void> => {
      const { Policy } = await client.send(
        new iam.CreatePolicyCommand({ PolicyName: `policy-${n}`, PolicyDocument }),
      )
      await client.send(new iam.AttachUserPolicyCommand({ UserName, PolicyArn: Policy?.Arn }))
    }
    for (let n = 1; n <= 10; n++) await attach(n)
    await assert.rejects(attach(11), {
      name: 'LimitExceededException',
      message: 'Cannot exceed quota for PoliciesPerUser: 10',
    })
  })

  test('their size has a bound, white space not counted', async (t) => {
    const client = (await startTestService(t)).iam()
    const create = (PolicyName: string, document: string): Promise<unknown> =>
      client.send(new iam.CreatePolicyCommand({ PolicyName, PolicyDocument: document }))
    await create('reader', policyOfSize(6144))
    const refused = { name: 'LimitExceededException', message: 'Cannot exceed quota for PolicySize: 6144' }
    await assert.rejects(create('other', policyOfSize(6145)), refused)
    const PolicyArn = 'arn:aws:iam::111122223333:policy/reader'
    await assert.rejects(
      client.send(new iam.CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: policyOfSize(6145) })),
      refused,
    )
    await assert.rejects(
      client.send(new iam.CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: '{}' })),
      { name: 'MalformedPolicyDocumentException' },
    )
  })

  test('the built-in ones are there, can be read, and cannot be changed', async (t) => {
    const client = (await startTestService(t)).iam()
    await client.send(new iam.CreatePolicyCommand({ PolicyName: 'reader', Path: '/team/', PolicyDocument }))
    const names = async (input: iam.ListPoliciesCommandInput): Promise<(string | undefined)[]> =>
      ((await client.send(new iam.ListPoliciesCommand(input))).Policies ?? []).map(
        ({ PolicyName }) => PolicyName,
      )
    assert.deepEqual(await names({ Scope: 'AWS' }), [
      'AWSKeyManagementServicePowerUser',
      'AdministratorAccess',
      'IAMFullAccess',
      'IAMReadOnlyAccess',
    ])
    assert.deepEqual(await names({ Scope: 'Local' }), ['reader'])
    assert.equal((await names({})).length, 5)
    assert.deepEqual(await names({ PathPrefix: '/team/' }), ['reader'])
    assert.deepEqual(await names({ OnlyAttached: true }), [])
    assert.deepEqual(await names({ PolicyUsageFilter: 'PermissionsBoundary' }), [])
    const { PolicyVersion } = await client.send(
      new iam.GetPolicyVersionCommand({ PolicyArn: administrator, VersionId: 'v1' }),
    )
    assert.match(decodeURIComponent(PolicyVersion?.Document ?? ''), /"Action":\["\*"\]/)
    const PolicyArn = administrator
    const changes: readonly Promise<unknown>[] = [
      client.send(new iam.DeletePolicyCommand({ PolicyArn })),
      client.send(new iam.CreatePolicyVersionCommand({ PolicyArn, PolicyDocument })),
      client.send(new iam.SetDefaultPolicyVersionCommand({ PolicyArn, VersionId: 'v1' })),
      client.send(new iam.DeletePolicyVersionCommand({ PolicyArn, VersionId: 'v1' })),
      client.send(new iam.TagPolicyCommand({ PolicyArn, Tags: [{ Key: 'a', Value: 'b' }] })),
      client.send(new iam.UntagPolicyCommand({ PolicyArn, TagKeys: ['a'] })),
    ]
    for (const change of changes) {
      await assert.rejects(change, {
        name: 'InvalidInputException',
        message: `The policy ${administrator} is built in and can't be changed.`,
      })
    }
  })
})
