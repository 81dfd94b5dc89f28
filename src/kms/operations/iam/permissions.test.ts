import * as iam from '@aws-sdk/client-iam'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { identityPolicy, trustPolicy } from '../../../../test/support/identities.ts'
import { startTestService } from '../../../../test/support/kms-service.ts'
import { assume } from '../../../../test/support/sts-session.ts'
import { iamOperations } from './index.ts'

/*
 * Which permission each operation asks for, on which resource, with which condition keys.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
 */

const account = 'arn:aws:iam::111122223333'
const alice = `${account}:user/team/alice`
const operators = `${account}:group/team/operators`
const deployer = `${account}:role/team/deployer`
const reader = `${account}:policy/team/reader`
const nobody = `${account}:user/nobody`
const everything = `${account}:*`

const PolicyDocument = identityPolicy({ Action: 'kms:ListKeys' })
const AssumeRolePolicyDocument = trustPolicy({ Principal: { AWS: '111122223333' } })
const user = { UserName: 'alice' }
const group = { GroupName: 'operators' }
const role = { RoleName: 'deployer' }
const policy = { PolicyArn: reader }
const inline = { PolicyName: 'inline' }
const Tags = [{ Key: 'team', Value: 'red' }]
const issuer = `${account}:oidc-provider/issuer.example`
const provider = { OpenIDConnectProviderArn: issuer }
const newIssuer = `${account}:oidc-provider/new.example`

type Call = (client: iam.IAMClient) => Promise<unknown>

/** Each operation with the permissions that it needs: an action and the resource that it is about. */
const calls: readonly (readonly [Call, ...(readonly [action: string, resource: string])[]])[] = [
  [(c) => c.send(new iam.GetUserCommand(user)), ['GetUser', alice]],
  [(c) => c.send(new iam.ListUsersCommand({ PathPrefix: '/team/' })), ['ListUsers', `${account}:user/team/`]],
  [(c) => c.send(new iam.ListUserTagsCommand(user)), ['ListUserTags', alice]],
  [(c) => c.send(new iam.TagUserCommand({ ...user, Tags })), ['TagUser', alice]],
  [(c) => c.send(new iam.UntagUserCommand({ ...user, TagKeys: ['team'] })), ['UntagUser', alice]],
  [
    (c) => c.send(new iam.CreateUserCommand({ UserName: 'bob', Path: '/a/' })),
    ['CreateUser', `${account}:user/a/bob`],
  ],
  [
    (c) => c.send(new iam.CreateUserCommand({ UserName: 'carol', Tags })),
    ['CreateUser', `${account}:user/carol`],
    ['TagUser', `${account}:user/carol`],
  ],
  [
    (c) => c.send(new iam.UpdateUserCommand({ UserName: 'carol', NewUserName: 'dora', NewPath: '/b/' })),
    ['UpdateUser', `${account}:user/carol`],
    ['UpdateUser', `${account}:user/b/dora`],
  ],
  [(c) => c.send(new iam.DeleteUserCommand({ UserName: 'dora' })), ['DeleteUser', `${account}:user/b/dora`]],

  [(c) => c.send(new iam.CreateAccessKeyCommand(user)), ['CreateAccessKey', alice]],
  [(c) => c.send(new iam.CreateAccessKeyCommand({})), ['CreateAccessKey', nobody]],
  [(c) => c.send(new iam.ListAccessKeysCommand(user)), ['ListAccessKeys', alice]],
  [
    async (c) => c.send(new iam.GetAccessKeyLastUsedCommand({ AccessKeyId: await keyOf(c) })),
    ['GetAccessKeyLastUsed', alice],
  ],
  [
    async (c) =>
      c.send(new iam.UpdateAccessKeyCommand({ ...user, AccessKeyId: await keyOf(c), Status: 'Inactive' })),
    ['UpdateAccessKey', alice],
  ],
  [
    async (c) => c.send(new iam.DeleteAccessKeyCommand({ ...user, AccessKeyId: await keyOf(c) })),
    ['DeleteAccessKey', alice],
  ],

  [
    (c) => c.send(new iam.CreateGroupCommand({ GroupName: 'new', Path: '/a/' })),
    ['CreateGroup', `${account}:group/a/new`],
  ],
  [(c) => c.send(new iam.GetGroupCommand(group)), ['GetGroup', operators]],
  [(c) => c.send(new iam.ListGroupsCommand({})), ['ListGroups', `${account}:group/`]],
  [
    (c) => c.send(new iam.UpdateGroupCommand({ GroupName: 'new', NewGroupName: 'newer' })),
    ['UpdateGroup', `${account}:group/a/new`],
    ['UpdateGroup', `${account}:group/a/newer`],
  ],
  [
    (c) => c.send(new iam.DeleteGroupCommand({ GroupName: 'newer' })),
    ['DeleteGroup', `${account}:group/a/newer`],
  ],
  [(c) => c.send(new iam.AddUserToGroupCommand({ ...user, ...group })), ['AddUserToGroup', operators]],
  [(c) => c.send(new iam.ListGroupsForUserCommand(user)), ['ListGroupsForUser', alice]],
  [
    (c) => c.send(new iam.RemoveUserFromGroupCommand({ ...user, ...group })),
    ['RemoveUserFromGroup', operators],
  ],

  [
    (c) => c.send(new iam.CreateRoleCommand({ RoleName: 'new', AssumeRolePolicyDocument, Tags })),
    ['CreateRole', `${account}:role/new`],
    ['TagRole', `${account}:role/new`],
  ],
  [(c) => c.send(new iam.DeleteRoleCommand({ RoleName: 'new' })), ['DeleteRole', `${account}:role/new`]],
  [(c) => c.send(new iam.GetRoleCommand(role)), ['GetRole', deployer]],
  [(c) => c.send(new iam.ListRolesCommand({})), ['ListRoles', `${account}:role/`]],
  [(c) => c.send(new iam.ListRoleTagsCommand(role)), ['ListRoleTags', deployer]],
  [(c) => c.send(new iam.TagRoleCommand({ ...role, Tags })), ['TagRole', deployer]],
  [(c) => c.send(new iam.UntagRoleCommand({ ...role, TagKeys: ['team'] })), ['UntagRole', deployer]],
  [(c) => c.send(new iam.UpdateRoleCommand({ ...role, Description: 'x' })), ['UpdateRole', deployer]],
  [
    (c) => c.send(new iam.UpdateRoleDescriptionCommand({ ...role, Description: 'y' })),
    ['UpdateRoleDescription', deployer],
  ],
  [
    (c) =>
      c.send(new iam.UpdateAssumeRolePolicyCommand({ ...role, PolicyDocument: AssumeRolePolicyDocument })),
    ['UpdateAssumeRolePolicy', deployer],
  ],

  [
    (c) => c.send(new iam.PutUserPolicyCommand({ ...user, ...inline, PolicyDocument })),
    ['PutUserPolicy', alice],
  ],
  [(c) => c.send(new iam.GetUserPolicyCommand({ ...user, ...inline })), ['GetUserPolicy', alice]],
  [(c) => c.send(new iam.ListUserPoliciesCommand(user)), ['ListUserPolicies', alice]],
  [(c) => c.send(new iam.DeleteUserPolicyCommand({ ...user, ...inline })), ['DeleteUserPolicy', alice]],
  [
    (c) => c.send(new iam.PutGroupPolicyCommand({ ...group, ...inline, PolicyDocument })),
    ['PutGroupPolicy', operators],
  ],
  [(c) => c.send(new iam.GetGroupPolicyCommand({ ...group, ...inline })), ['GetGroupPolicy', operators]],
  [(c) => c.send(new iam.ListGroupPoliciesCommand(group)), ['ListGroupPolicies', operators]],
  [
    (c) => c.send(new iam.DeleteGroupPolicyCommand({ ...group, ...inline })),
    ['DeleteGroupPolicy', operators],
  ],
  [
    (c) => c.send(new iam.PutRolePolicyCommand({ ...role, ...inline, PolicyDocument })),
    ['PutRolePolicy', deployer],
  ],
  [(c) => c.send(new iam.GetRolePolicyCommand({ ...role, ...inline })), ['GetRolePolicy', deployer]],
  [(c) => c.send(new iam.ListRolePoliciesCommand(role)), ['ListRolePolicies', deployer]],
  [(c) => c.send(new iam.DeleteRolePolicyCommand({ ...role, ...inline })), ['DeleteRolePolicy', deployer]],

  [(c) => c.send(new iam.AttachUserPolicyCommand({ ...user, ...policy })), ['AttachUserPolicy', alice]],
  [(c) => c.send(new iam.ListAttachedUserPoliciesCommand(user)), ['ListAttachedUserPolicies', alice]],
  [(c) => c.send(new iam.DetachUserPolicyCommand({ ...user, ...policy })), ['DetachUserPolicy', alice]],
  [
    (c) => c.send(new iam.AttachGroupPolicyCommand({ ...group, ...policy })),
    ['AttachGroupPolicy', operators],
  ],
  [(c) => c.send(new iam.ListAttachedGroupPoliciesCommand(group)), ['ListAttachedGroupPolicies', operators]],
  [
    (c) => c.send(new iam.DetachGroupPolicyCommand({ ...group, ...policy })),
    ['DetachGroupPolicy', operators],
  ],
  [(c) => c.send(new iam.AttachRolePolicyCommand({ ...role, ...policy })), ['AttachRolePolicy', deployer]],
  [(c) => c.send(new iam.ListAttachedRolePoliciesCommand(role)), ['ListAttachedRolePolicies', deployer]],
  [(c) => c.send(new iam.DetachRolePolicyCommand({ ...role, ...policy })), ['DetachRolePolicy', deployer]],

  [
    (c) => c.send(new iam.CreatePolicyCommand({ PolicyName: 'new', PolicyDocument, Tags })),
    ['CreatePolicy', `${account}:policy/new`],
    ['TagPolicy', `${account}:policy/new`],
  ],
  [
    (c) => c.send(new iam.DeletePolicyCommand({ PolicyArn: `${account}:policy/new` })),
    ['DeletePolicy', `${account}:policy/new`],
  ],
  [(c) => c.send(new iam.GetPolicyCommand(policy)), ['GetPolicy', reader]],
  [(c) => c.send(new iam.ListPoliciesCommand({})), ['ListPolicies', `${account}:policy/`]],
  [(c) => c.send(new iam.ListEntitiesForPolicyCommand(policy)), ['ListEntitiesForPolicy', reader]],
  [(c) => c.send(new iam.ListPolicyTagsCommand(policy)), ['ListPolicyTags', reader]],
  [(c) => c.send(new iam.TagPolicyCommand({ ...policy, Tags })), ['TagPolicy', reader]],
  [(c) => c.send(new iam.UntagPolicyCommand({ ...policy, TagKeys: ['team'] })), ['UntagPolicy', reader]],
  [
    (c) => c.send(new iam.CreatePolicyVersionCommand({ ...policy, PolicyDocument })),
    ['CreatePolicyVersion', reader],
  ],
  [
    (c) => c.send(new iam.GetPolicyVersionCommand({ ...policy, VersionId: 'v1' })),
    ['GetPolicyVersion', reader],
  ],
  [(c) => c.send(new iam.ListPolicyVersionsCommand(policy)), ['ListPolicyVersions', reader]],
  [
    (c) => c.send(new iam.SetDefaultPolicyVersionCommand({ ...policy, VersionId: 'v2' })),
    ['SetDefaultPolicyVersion', reader],
  ],
  [
    (c) => c.send(new iam.DeletePolicyVersionCommand({ ...policy, VersionId: 'v1' })),
    ['DeletePolicyVersion', reader],
  ],
  [(c) => c.send(new iam.GetAccountSummaryCommand({})), ['GetAccountSummary', '*']],
  [(c) => c.send(new iam.GetAccountAuthorizationDetailsCommand({})), ['GetAccountAuthorizationDetails', '*']],

  [
    (c) => c.send(new iam.CreateOpenIDConnectProviderCommand({ Url: 'https://new.example' })),
    ['CreateOpenIDConnectProvider', newIssuer],
  ],
  [
    (c) => c.send(new iam.CreateOpenIDConnectProviderCommand({ Url: 'https://newer.example', Tags })),
    ['CreateOpenIDConnectProvider', `${account}:oidc-provider/newer.example`],
    ['TagOpenIDConnectProvider', `${account}:oidc-provider/newer.example`],
  ],
  [(c) => c.send(new iam.GetOpenIDConnectProviderCommand(provider)), ['GetOpenIDConnectProvider', issuer]],
  [
    (c) => c.send(new iam.ListOpenIDConnectProvidersCommand({})),
    ['ListOpenIDConnectProviders', `${account}:oidc-provider/*`],
  ],
  [
    (c) => c.send(new iam.ListOpenIDConnectProviderTagsCommand(provider)),
    ['ListOpenIDConnectProviderTags', issuer],
  ],
  [
    (c) => c.send(new iam.TagOpenIDConnectProviderCommand({ ...provider, Tags })),
    ['TagOpenIDConnectProvider', issuer],
  ],
  [
    (c) => c.send(new iam.UntagOpenIDConnectProviderCommand({ ...provider, TagKeys: ['team'] })),
    ['UntagOpenIDConnectProvider', issuer],
  ],
  [
    (c) => c.send(new iam.AddClientIDToOpenIDConnectProviderCommand({ ...provider, ClientID: 'a' })),
    ['AddClientIDToOpenIDConnectProvider', issuer],
  ],
  [
    (c) => c.send(new iam.RemoveClientIDFromOpenIDConnectProviderCommand({ ...provider, ClientID: 'a' })),
    ['RemoveClientIDFromOpenIDConnectProvider', issuer],
  ],
  [
    (c) => c.send(new iam.UpdateOpenIDConnectProviderThumbprintCommand({ ...provider, ThumbprintList: [] })),
    ['UpdateOpenIDConnectProviderThumbprint', issuer],
  ],
  [
    (c) => c.send(new iam.DeleteOpenIDConnectProviderCommand(provider)),
    ['DeleteOpenIDConnectProvider', issuer],
  ],
]

test('each operation needs the permissions of its name, on what it is about, and no others', async (t) => {
  const service = await startTestService(t)
  const root = service.iam()
  await makeEverything(root)
  const client = service.iam(await service.makeUser('nobody'))
  for (const [call, ...permissions] of calls) {
    const allowed: { Action: string; Resource: string }[] = []
    for (const [action, resource] of permissions) {
      await allow(root, [...allowed, { Action: 'iam:ListAccessKeys', Resource: alice }])
      const refusal =
        `User: ${nobody} is not authorized to perform: iam:${action} on resource: ${resource} ` +
        `because no identity-based policy allows the iam:${action} action`
      if (action !== 'ListAccessKeys') {
        await assert.rejects(call(client), { name: 'AccessDenied', message: refusal })
      }
      allowed.push({ Action: `iam:${action}`, Resource: resource })
    }
    await allow(root, [...allowed, { Action: 'iam:ListAccessKeys', Resource: alice }])
    await call(client)
  }
  const tested = new Set(calls.flatMap(([, ...permissions]) => permissions.map(([action]) => action)))
  const names = iamOperations.map(({ name }) => name).filter((name) => !name.includes('MFA'))
  assert.deepEqual([...tested].sort(), names.sort())
})

test('who may not ask about something does not learn whether it is there', async (t) => {
  const service = await startTestService(t)
  await makeEverything(service.iam())
  const client = service.iam(await service.makeUser('nobody'))
  const asked: readonly ((name: string) => Promise<unknown>)[] = [
    (UserName) => client.send(new iam.GetUserCommand({ UserName })),
    (UserName) => client.send(new iam.DeleteUserCommand({ UserName })),
    (UserName) => client.send(new iam.CreateUserCommand({ UserName })),
    (GroupName) => client.send(new iam.GetGroupCommand({ GroupName })),
    (RoleName) => client.send(new iam.GetRoleCommand({ RoleName })),
    (name) => client.send(new iam.GetPolicyCommand({ PolicyArn: `${account}:policy/${name}` })),
  ]
  for (const ask of asked) {
    for (const name of ['visible', 'nothing-of-that-name']) {
      await assert.rejects(ask(name), (error: Error) => {
        assert.equal(error.name, 'AccessDenied')
        assert.match(
          error.message.replaceAll(name, 'NAME'),
          /:(user|group|role|policy)\/NAME because no identity/,
        )
        return true
      })
    }
  }
})

test('conditions see the tags of the resource, those of the request, and the policy to attach', async (t) => {
  const service = await startTestService(t)
  const root = service.iam()
  await makeEverything(root)
  const red = { Tags: [{ Key: 'Team', Value: 'red' }] }
  await root.send(new iam.TagUserCommand({ ...user, ...red }))
  await root.send(new iam.TagRoleCommand({ ...role, ...red }))
  await root.send(new iam.TagPolicyCommand({ ...policy, ...red }))
  const client = service.iam(await service.makeUser('nobody'))
  const rows: readonly (readonly [Record<string, unknown>, Call, Call])[] = [
    [
      { StringEquals: { 'aws:ResourceTag/team': 'red' } },
      (c) => c.send(new iam.GetUserCommand(user)),
      (c) => c.send(new iam.GetUserCommand({ UserName: 'visible' })),
    ],
    [
      { StringEquals: { 'iam:ResourceTag/Team': 'red' } },
      (c) => c.send(new iam.ListAccessKeysCommand(user)),
      (c) => c.send(new iam.ListAccessKeysCommand({ UserName: 'visible' })),
    ],
    [
      { StringEquals: { 'aws:RequestTag/team': 'red' } },
      (c) => c.send(new iam.CreateUserCommand({ UserName: 'bob', Tags })),
      (c) => c.send(new iam.CreateUserCommand({ UserName: 'carol', Tags: [{ Key: 'team', Value: 'blue' }] })),
    ],
    [
      { StringEquals: { 'aws:ResourceTag/team': 'red' } },
      (c) => c.send(new iam.ListGroupsForUserCommand(user)),
      (c) => c.send(new iam.ListGroupsForUserCommand({ UserName: 'visible' })),
    ],
    [
      { StringEquals: { 'aws:ResourceTag/team': 'red' } },
      (c) => c.send(new iam.GetRoleCommand(role)),
      (c) => c.send(new iam.GetRoleCommand({ RoleName: 'visible' })),
    ],
    [
      { StringEquals: { 'aws:ResourceTag/team': 'red' } },
      (c) => c.send(new iam.GetPolicyCommand(policy)),
      (c) => c.send(new iam.GetPolicyCommand({ PolicyArn: `${account}:policy/visible` })),
    ],
    [
      { 'ForAnyValue:StringEquals': { 'aws:TagKeys': ['team'] } },
      (c) => c.send(new iam.TagUserCommand({ ...user, Tags })),
      (c) => c.send(new iam.TagUserCommand({ ...user, Tags: [{ Key: 'other', Value: 'red' }] })),
    ],
    [
      { 'ForAllValues:StringEquals': { 'aws:TagKeys': ['team'] } },
      (c) => c.send(new iam.UntagUserCommand({ ...user, TagKeys: ['team'] })),
      (c) => c.send(new iam.UntagUserCommand({ ...user, TagKeys: ['team', 'other'] })),
    ],
    [
      { ArnEquals: { 'iam:PolicyARN': reader } },
      (c) => c.send(new iam.AttachUserPolicyCommand({ ...user, ...policy })),
      (c) =>
        c.send(
          new iam.AttachUserPolicyCommand({
            ...user,
            PolicyArn: 'arn:aws:iam::aws:policy/AdministratorAccess',
          }),
        ),
    ],
  ]
  for (const [Condition, met, notMet] of rows) {
    await allow(root, [{ Action: 'iam:*', Condition }])
    await assert.rejects(notMet(client), { name: 'AccessDenied' }, JSON.stringify(Condition))
    await met(client)
  }
})

test('an assumed role has no access keys of its own: it must say whose it means', async (t) => {
  const service = await startTestService(t)
  const RoleArn = await service.makeRole('deployer', [{ Principal: { AWS: '111122223333' } }], {
    Action: 'iam:*',
    Resource: everything,
  })
  const nobodyElse = await service.makeUser('nobody', { Action: 'sts:AssumeRole' })
  const client = service.iam(await assume(service, nobodyElse, { RoleArn }))
  for (const call of [
    () => client.send(new iam.CreateAccessKeyCommand({})),
    () => client.send(new iam.ListAccessKeysCommand({})),
    () => client.send(new iam.GetUserCommand({})),
  ]) {
    await assert.rejects(call(), {
      name: 'ValidationError',
      message: 'Must specify userName when calling with non-User credentials',
    })
  }
  await client.send(new iam.CreateAccessKeyCommand({ UserName: 'nobody' }))
})

async function makeEverything(root: iam.IAMClient): Promise<void> {
  await root.send(new iam.CreateUserCommand({ ...user, Path: '/team/' }))
  await root.send(new iam.CreateAccessKeyCommand(user))
  await root.send(new iam.CreateGroupCommand({ ...group, Path: '/team/' }))
  await root.send(new iam.CreateRoleCommand({ ...role, Path: '/team/', AssumeRolePolicyDocument }))
  await root.send(new iam.CreatePolicyCommand({ PolicyName: 'reader', Path: '/team/', PolicyDocument }))
  await root.send(new iam.CreateUserCommand({ UserName: 'visible' }))
  await root.send(new iam.CreateGroupCommand({ GroupName: 'visible' }))
  await root.send(new iam.CreateRoleCommand({ RoleName: 'visible', AssumeRolePolicyDocument }))
  await root.send(new iam.CreatePolicyCommand({ PolicyName: 'visible', PolicyDocument }))
  await root.send(new iam.CreateOpenIDConnectProviderCommand({ Url: 'https://issuer.example' }))
}

async function allow(root: iam.IAMClient, statements: readonly Record<string, unknown>[]): Promise<void> {
  const command = { UserName: 'nobody', PolicyName: 'inline', PolicyDocument: identityPolicy(...statements) }
  await root.send(new iam.PutUserPolicyCommand(command))
}

/** Alice's newest access key. */
async function keyOf(client: iam.IAMClient): Promise<string> {
  const { AccessKeyMetadata } = await client.send(new iam.ListAccessKeysCommand(user))
  return AccessKeyMetadata?.at(-1)?.AccessKeyId ?? assert.fail('no access key')
}
