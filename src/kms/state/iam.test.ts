import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { Writable } from 'node:stream'
import { describe, test } from 'node:test'
import { pino } from 'pino'
import { identityPolicy, trustPolicy } from '../../../test/support/identities.ts'
import { scratchDatabase } from '../../../test/support/key-store.ts'
import { RootKey } from '../seal/root-key.ts'
import { type IamState, openIam } from './iam.ts'
import { IdentityTags } from './identity-tags.ts'

const accountId = '111122223333'
const silent = pino({ level: 'silent' })
const allowAll = identityPolicy({ Action: 'kms:*' })
const team = new Map([['team', 'red']])

/** Somebody of each kind: Alice is denied everything by a group, and Bob has an access key that is not active. */
function makeEverybody(iam: IamState): { alice: string; bob: string } {
  const alice = iam.users.create({ userName: 'alice', path: '/', tags: team }).userId
  const bob = iam.users.create({ userName: 'bob', path: '/', tags: team }).userId
  iam.accessKeys.create(undefined)
  iam.accessKeys.create(alice)
  iam.accessKeys.setActive(iam.accessKeys.create(bob).accessKeyId, false)
  const denied = iam.groups.create('denied', '/')
  iam.groups.create('empty', '/')
  iam.groups.add(denied, alice)
  iam.inlinePolicies.put(denied.groupId, 'inline', identityPolicy({ Effect: 'Deny', Action: 'kms:*' }))
  iam.inlinePolicies.put(alice, 'inline', allowAll)
  const aliceArn = `arn:aws:iam::${accountId}:user/alice`
  const trust = {
    document: trustPolicy({ Principal: { AWS: aliceArn } }),
    principalIds: new Map([[aliceArn, alice]]),
  }
  const attributes = { description: undefined, maxSessionSeconds: 3600, trust }
  iam.roles.create({ roleName: 'deployer', path: '/', tags: team }, attributes)
  const policy = iam.managedPolicies.create({
    policyName: 'keys',
    path: '/',
    description: undefined,
    tags: team,
    document: allowAll,
  })
  iam.managedPolicies.addVersion(policy, identityPolicy({ Action: 'kms:ListKeys' }), true)
  iam.attachedPolicies.attach(bob, policy.policyId)
  iam.oidcProviders.create('issuer.example', { clientIds: ['a'], thumbprints: ['0'.repeat(40)], tags: team })
  return { alice, bob }
}

function start(t: Parameters<typeof scratchDatabase>[0]): {
  database: DatabaseSync
  rootKey: RootKey
  open: (log?: pino.Logger) => IamState
} {
  const database = scratchDatabase(t)
  const rootKey = new RootKey(randomBytes(32))
  return { database, rootKey, open: (log = silent) => openIam(database, rootKey, accountId, log) }
}

describe('who there is and what they may do is tagged by the root key', () => {
  const alterations = [
    "UPDATE users SET user_name = 'carol' WHERE user_name = 'bob'",
    "UPDATE users SET path = '/admin/' WHERE user_name = 'bob'",
    `UPDATE users SET tags = '{"team":"blue"}' WHERE user_name = 'bob'`,
    "DELETE FROM users WHERE user_name = 'bob'",
    "INSERT INTO users (user_id, user_name, path, created_at) VALUES ('AIDAAAAAAAAAAAAAAAAA', 'eve', '/', 0)",
    'UPDATE access_keys SET active = 1 WHERE active = 0',
    'DELETE FROM access_keys WHERE user_id IS NULL',
    'DELETE FROM access_keys WHERE active = 0',
    'DELETE FROM group_members',
    'INSERT OR IGNORE INTO group_members SELECT group_id, user_id FROM groups, users',
    "DELETE FROM groups WHERE group_name = 'empty'",
    "UPDATE groups SET group_name = 'full' WHERE group_name = 'empty'",
    "DELETE FROM inline_policies WHERE owner_id LIKE 'AGPA%'",
    `UPDATE inline_policies SET document = '${allowAll}' WHERE owner_id LIKE 'AGPA%'`,
    `INSERT INTO inline_policies SELECT role_id, 'x', '${allowAll}' FROM roles`,
    'INSERT INTO attached_policies SELECT role_id, policy_id FROM roles, managed_policies',
    'DELETE FROM attached_policies',
    'UPDATE managed_policies SET default_version = 1',
    "UPDATE managed_policy_versions SET document = '{}' WHERE version = 2",
    'DELETE FROM managed_policy_versions WHERE version = 1',
    "UPDATE oidc_providers SET name = 'other.example'",
    `UPDATE oidc_providers SET client_ids = '["a","b"]'`,
    "UPDATE oidc_providers SET thumbprints = '[]'",
    "UPDATE oidc_providers SET tags = '{}'",
    'DELETE FROM oidc_providers',
    "INSERT INTO oidc_providers VALUES ('OIDCAAAAAAAAAAAAAAAA', 'eve.example', '[]', '[]', '{}', 0)",
    "UPDATE roles SET trust_policy = replace(trust_policy, 'alice', 'bob')",
    "UPDATE roles SET trust_principals = '{}'",
    'UPDATE roles SET max_session_seconds = 43200',
    'DELETE FROM identity_tags',
    "DELETE FROM identity_tags WHERE owner_id = 'all'",
    "DELETE FROM identity_tags WHERE owner_id LIKE 'AROA%'",
    "UPDATE identity_tags SET tag = (SELECT tag FROM identity_tags WHERE owner_id LIKE 'AIDA%') WHERE owner_id LIKE 'AGPA%'",
  ]

  for (const alteration of alterations) {
    test(`so this is noticed: ${alteration}`, (t) => {
      const { database, open } = start(t)
      makeEverybody(open())
      open()
      database.exec('PRAGMA foreign_keys = OFF')
      assert.notEqual(database.prepare(alteration).run().changes, 0)
      assert.throws(open, {
        code: 'SR_KMS_DATABASE_DAMAGED',
        message:
          /^the row of (identity [AO]|the list of users).* was altered, or was sealed by another root key/,
      })
    })
  }

  test('a user that is gone with its tag is missed', (t) => {
    const { database, open } = start(t)
    const iam = open()
    iam.accessKeys.create(undefined)
    const { userId } = iam.users.create({ userName: 'alice', path: '/', tags: team })
    database.prepare('DELETE FROM users WHERE user_id = ?').run(userId)
    database.prepare('DELETE FROM identity_tags WHERE owner_id = ?').run(userId)
    assert.throws(open, { code: 'SR_KMS_DATABASE_DAMAGED', message: /the list of users/ })
  })

  test('after each change, and with nobody at all, the tags are right', (t) => {
    const { database, open } = start(t)
    open()
    const iam = open()
    const { alice, bob } = makeEverybody(iam)
    const [user, group, role, policy, provider] = [
      iam.users.named('bob'),
      iam.groups.named('denied'),
      iam.roles.named('deployer'),
      iam.managedPolicies.named('keys'),
      iam.oidcProviders.named('issuer.example'),
    ]
    assert.ok(user !== undefined && group !== undefined && role !== undefined)
    assert.ok(policy !== undefined && provider !== undefined)
    const [aliceKey] = iam.accessKeys.ofUser(alice)
    const changes: readonly (() => unknown)[] = [
      () => iam.users.rename(user, 'bert', '/x/'),
      () => {
        iam.users.setTags(user, new Map())
      },
      () => {
        iam.accessKeys.setActive(aliceKey?.accessKeyId ?? '', false)
      },
      () => {
        iam.accessKeys.delete(aliceKey?.accessKeyId ?? '')
      },
      () => iam.accessKeys.create(undefined),
      () => iam.groups.rename(group, 'renamed', '/x/'),
      () => {
        iam.groups.remove(group, alice)
      },
      () => {
        iam.inlinePolicies.delete(group.groupId, 'inline')
      },
      () => {
        iam.groups.delete(group)
      },
      () => iam.roles.update(role, { description: 'x' }),
      () => {
        iam.roles.setTags(role, new Map())
      },
      () => {
        iam.roles.delete(role)
      },
      () => {
        iam.managedPolicies.setTags(policy, new Map())
      },
      () => {
        iam.managedPolicies.setDefaultVersion(policy, 1)
      },
      () => {
        iam.managedPolicies.deleteVersion(policy, 2)
      },
      () => iam.managedPolicies.addVersion(policy, allowAll, false),
      () => {
        iam.attachedPolicies.detach(bob, policy.policyId)
      },
      () => {
        iam.managedPolicies.delete(policy)
      },
      () => {
        iam.oidcProviders.update(provider, { clientIds: [] })
      },
      () => {
        iam.oidcProviders.delete(provider)
      },
    ]
    for (const change of changes) {
      change()
      open()
    }
    // Alice, Bob, the empty group, and the tag over all.
    assert.deepEqual({ ...database.prepare('SELECT count(*) AS tags FROM identity_tags').get() }, { tags: 4 })
  })

  test('a database from before there were tags gets them once', (t) => {
    const { database, rootKey, open } = start(t)
    makeEverybody(open())
    database.exec('DELETE FROM identity_tags')
    assert.throws(open, { code: 'SR_KMS_DATABASE_DAMAGED' })
    new IdentityTags(database, rootKey).tagAll()
    open()
  })
})

test('nothing changes, in memory or in the tags, when the database refuses', (t) => {
  const { database, open } = start(t)
  const iam = open()
  const { alice } = makeEverybody(iam)
  database.exec("CREATE TRIGGER full BEFORE INSERT ON inline_policies BEGIN SELECT RAISE(ABORT, 'full'); END")
  assert.throws(() => {
    iam.inlinePolicies.put(alice, 'other', allowAll)
  }, /full/)
  assert.deepEqual([...iam.inlinePolicies.of(alice).keys()], ['inline'])
  open()
})

test('a stored policy that cannot be read denies everything to whom it is about, and is logged', (t) => {
  const { database, rootKey, open } = start(t)
  const { alice } = makeEverybody(open())
  database
    .prepare('UPDATE inline_policies SET document = ? WHERE owner_id = ?')
    .run('{"Version":"2099-01-01","Statement":[]}', alice)
  new IdentityTags(database, rootKey).tagAll()
  let logged = ''
  const log = pino(
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        logged += chunk.toString()
        done()
      },
    }),
  )
  const iam = open(log)
  const user = iam.users.withId(alice)
  const accessKey = iam.accessKeys.create(alice)
  const principal = iam.accessKeys.principalOf(accessKey.accessKeyId)
  assert.ok(user !== undefined && principal !== undefined)
  const policies = iam.identityPolicies.of(principal)
  assert.deepEqual(
    policies.map(({ source, document }) => [source, document.statements.map(({ effect }) => effect)]),
    [
      ['inline policy inline of user alice', ['Deny']],
      ['inline policy inline of group denied', ['Deny']],
    ],
  )
  assert.match(logged, /a stored policy cannot be read, so it denies everything/)
  assert.match(logged, /inline policy inline of user alice/)
})

test('policies are parsed once, and again after a change of anybody’s', (t) => {
  const { open } = start(t)
  const iam = open()
  const { alice, bob } = makeEverybody(iam)
  const principal = iam.accessKeys.principalOf(iam.accessKeys.create(alice).accessKeyId)
  assert.ok(principal !== undefined)
  const first = iam.identityPolicies.of(principal)
  assert.equal(iam.identityPolicies.of(principal), first)
  iam.inlinePolicies.put(bob, 'x', allowAll)
  assert.notEqual(iam.identityPolicies.of(principal), first)
})

test('policies are named after whom they belong to now', (t) => {
  const { open } = start(t)
  const iam = open()
  const { alice } = makeEverybody(iam)
  const { accessKeyId } = iam.accessKeys.create(alice)
  const sources = (): string[] => {
    const principal = iam.accessKeys.principalOf(accessKeyId) ?? assert.fail('no principal')
    return iam.identityPolicies.of(principal).map(({ source }) => source)
  }
  assert.deepEqual(sources(), ['inline policy inline of user alice', 'inline policy inline of group denied'])
  iam.users.rename(iam.users.named('alice') ?? assert.fail(), 'anna', '/')
  assert.deepEqual(sources(), ['inline policy inline of user anna', 'inline policy inline of group denied'])
  iam.groups.rename(iam.groups.named('denied') ?? assert.fail(), 'refused', '/')
  assert.deepEqual(sources(), ['inline policy inline of user anna', 'inline policy inline of group refused'])
})
