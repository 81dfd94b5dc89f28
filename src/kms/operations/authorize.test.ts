import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callOf, kmsState } from '../../../test/support/kms-state.ts'
import { parseKeyPolicy, parseSessionPolicy } from '../policy/document.ts'
import { accountId, alice, nightly, plainSession, root, rootArn } from '../../../test/support/principals.ts'
import type { Principal } from '../principal.ts'
import { authorize, couldPutKeyPolicy, type Permission } from './authorize.ts'
import type { State } from './call.ts'

const policyOf = (...Statement: object[]): string => JSON.stringify({ Version: '2012-10-17', Statement })
const everything = { Effect: 'Allow', Action: '*', Resource: '*' }
const delegation = { Effect: 'Allow', Principal: { AWS: rootArn }, Action: 'kms:*', Resource: '*' }

/** The user alice and the role deploy, as they are in the state. */
function people(state: State): { user: Principal; session: Principal } {
  const user = state.users.create({ userName: 'alice', path: '/', tags: new Map() })
  const role = state.roles.create(
    { roleName: 'deploy', path: '/', tags: new Map() },
    {
      description: undefined,
      maxSessionSeconds: 3600,
      trust: {
        document: policyOf(
          { Effect: 'Allow', Principal: { AWS: user.arn }, Action: 'sts:AssumeRole' },
          { Effect: 'Deny', Principal: '*', Action: 'sts:TagSession' },
        ),
        principalIds: new Map([[user.arn, user.userId]]),
      },
    },
  )
  return {
    user: { ...alice, principalId: user.userId },
    session: {
      ...nightly,
      principalId: `${role.roleId}:nightly`,
      role: { arn: role.arn, roleId: role.roleId, roleName: 'deploy' },
    },
  }
}

function refusal(permission: Permission, principal: Principal, state: State): string | undefined {
  try {
    authorize(permission, callOf(principal, state))
    return undefined
  } catch (error) {
    assert.ok(
      error instanceof Error && 'exceptionName' in error && error.exceptionName === 'AccessDeniedException',
    )
    return error.message
  }
}

test('refuses in Amazon’s words', async (t) => {
  const state = await kmsState(t)
  const { user, session } = people(state)
  const key = state.keys.create({ description: '', policy: policyOf(delegation) })
  const closed = state.keys.create({
    description: '',
    policy: policyOf({ ...delegation, Principal: { AWS: user.arn }, Action: 'kms:DescribeKey' }),
    policyPrincipals: new Map([[user.arn, user.principalId]]),
  })
  const denying = state.keys.create({
    description: '',
    policy: policyOf({ ...delegation, Principal: '*' }, { ...delegation, Effect: 'Deny', Principal: '*' }),
  })
  const userText = 'User: arn:aws:iam::111122223333:user/alice is not authorized to perform:'
  const sessionText =
    'User: arn:aws:sts::111122223333:assumed-role/deploy/nightly is not authorized to perform:'
  assert.equal(
    refusal({ action: 'kms:Decrypt', key }, user, state),
    `${userText} kms:Decrypt on resource: ${key.arn} because no identity-based policy allows the kms:Decrypt action`,
  )
  assert.equal(
    refusal({ action: 'kms:Decrypt', key: closed }, user, state),
    `${userText} kms:Decrypt on resource: ${closed.arn} because no resource-based policy allows the kms:Decrypt action`,
  )
  assert.equal(refusal({ action: 'kms:DescribeKey', key: closed }, user, state), undefined)
  assert.equal(
    refusal({ action: 'kms:Decrypt', key: denying }, root, state),
    `User: arn:aws:iam::111122223333:root is not authorized to perform: kms:Decrypt on resource: ${denying.arn} ` +
      'with an explicit deny in a resource-based policy',
  )
  assert.equal(
    refusal({ action: 'kms:CreateKey' }, user, state),
    `${userText} kms:CreateKey on resource: * because no identity-based policy allows the kms:CreateKey action`,
  )
  const limited: Principal = {
    ...session,
    type: 'AssumedRole',
    role: {
      arn: `arn:aws:iam::${accountId}:role/deploy`,
      roleId: session.principalId.split(':')[0] ?? '',
      roleName: 'deploy',
    },
    sessionName: 'nightly',
    session: {
      ...plainSession,
      policies: [
        {
          source: 'session policy',
          document: parseSessionPolicy(policyOf({ ...everything, Action: 'kms:Encrypt' })),
        },
      ],
    },
  }
  state.inlinePolicies.put(limited.role.roleId, 'P', policyOf(everything))
  assert.equal(refusal({ action: 'kms:Decrypt', key }, session, state), undefined)
  assert.equal(
    refusal({ action: 'kms:Decrypt', key }, limited, state),
    `${sessionText} kms:Decrypt on resource: ${key.arn} because no session policy allows the kms:Decrypt action`,
  )
  state.inlinePolicies.put(limited.role.roleId, 'P', policyOf({ ...everything, Effect: 'Deny' }))
  assert.equal(
    refusal({ action: 'kms:Decrypt', key }, session, state),
    `${sessionText} kms:Decrypt on resource: ${key.arn} with an explicit deny in an identity-based policy`,
  )
  const denySession = {
    source: 'session policy',
    document: parseSessionPolicy(policyOf({ ...everything, Effect: 'Deny' })),
  }
  state.inlinePolicies.put(limited.role.roleId, 'P', policyOf(everything))
  assert.equal(
    refusal(
      { action: 'kms:Decrypt', key },
      { ...limited, session: { ...plainSession, policies: [denySession] } },
      state,
    ),
    `${sessionText} kms:Decrypt on resource: ${key.arn} with an explicit deny in a session policy`,
  )
})

test('the trust policy of a role decides who assumes it', async (t) => {
  const state = await kmsState(t)
  const { user, session } = people(state)
  const role = state.roles.named('deploy')
  assert.ok(role !== undefined)
  const assume = { action: 'sts:AssumeRole', resource: role.arn, trustOf: role }
  assert.equal(refusal(assume, user, state), undefined)
  assert.equal(
    refusal(assume, session, state),
    `User: arn:aws:sts::111122223333:assumed-role/deploy/nightly is not authorized to perform: sts:AssumeRole ` +
      `on resource: ${role.arn} because no role trust policy allows the sts:AssumeRole action`,
  )
  assert.equal(
    refusal({ ...assume, action: 'sts:TagSession' }, user, state),
    'User: arn:aws:iam::111122223333:user/alice is not authorized to perform: sts:TagSession ' +
      `on resource: ${role.arn} with an explicit deny in the role trust policy`,
  )
  assert.match(
    refusal({ ...assume, trustOf: 'nobody' }, root, state) ?? '',
    /because no role trust policy allows/,
  )
  const later = { ...user, principalId: 'AIDALATER' }
  assert.match(refusal(assume, later, state) ?? '', /because no role trust policy allows/)
  // A changed role is read anew.
  const changed = state.roles.update(role, {
    trust: {
      ...role.trust,
      document: policyOf({ Effect: 'Deny', Principal: '*', Action: 'sts:AssumeRole' }),
    },
  })
  assert.match(
    refusal({ ...assume, trustOf: changed }, user, state) ?? '',
    /explicit deny in the role trust policy/,
  )
})

test('grants and identity policies count', async (t) => {
  const state = await kmsState(t)
  const { user } = people(state)
  const key = state.keys.create({ description: '', policy: policyOf(delegation) })
  const decrypt: Permission = { action: 'kms:Decrypt', key, encryptionContext: new Map([['app', 'x']]) }
  const grant = state.grants.create({
    ...{ keyId: key.keyId, name: undefined, retiringPrincipal: undefined, retiringId: undefined },
    granteePrincipal: user.arn,
    granteeId: user.principalId,
    operations: ['Decrypt'],
    constraints: { encryptionContextSubset: new Map([['app', 'x']]) },
  })
  assert.equal(refusal(decrypt, user, state), undefined)
  assert.notEqual(refusal({ ...decrypt, encryptionContext: new Map() }, user, state), undefined)
  state.grants.delete(grant)
  assert.notEqual(refusal(decrypt, user, state), undefined)
  const group = state.groups.create('g', '/')
  state.inlinePolicies.put(group.groupId, 'P', policyOf({ ...everything, Resource: key.arn }))
  assert.notEqual(refusal(decrypt, user, state), undefined)
  state.groups.add(group, user.principalId)
  assert.equal(refusal(decrypt, user, state), undefined)
})

test('the lock-out check asks for whoever puts the policy', async (t) => {
  const state = await kmsState(t)
  const { user } = people(state)
  const key = state.keys.create({
    description: '',
    policy: policyOf(delegation),
    tags: new Map([['Stage', 'prod']]),
  })
  const could = (principal: Principal, ...statements: object[]): boolean =>
    couldPutKeyPolicy(key, parseKeyPolicy(policyOf(...statements)), callOf(principal, state))
  assert.equal(could(root, delegation), true)
  assert.equal(could(user, delegation), false)
  assert.equal(could(user, { ...delegation, Principal: { AWS: user.arn } }), true)
  assert.equal(could(root, { ...delegation, Action: 'kms:Decrypt' }), false)
  const ifProduction = { StringEquals: { 'aws:ResourceTag/Stage': 'prod' } }
  assert.equal(could(root, { ...delegation, Condition: ifProduction }), true)
  assert.equal(
    couldPutKeyPolicy(
      { arn: '*' },
      parseKeyPolicy(policyOf({ ...delegation, Condition: ifProduction })),
      callOf(root, state),
    ),
    false,
  )
})
