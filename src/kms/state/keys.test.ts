import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { pino } from 'pino'
import { scratchDatabase, settableClock } from '../../../test/support/key-store.ts'
import { RootKey } from '../seal/root-key.ts'
import { inTransaction } from './database.ts'
import { KeyStore } from './keys/key-store.ts'
import { type Key, Keys } from './keys.ts'

const policy = '{"Statement":{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}}'
const region = 'us-east-1'

/** The keys of the region, read anew from the database, and what is logged about them. */
function open(database: DatabaseSync, rootKey: RootKey): { keys: Keys; lines: string[] } {
  const lines: string[] = []
  const log = pino({ level: 'error' }, { write: (line) => lines.push(line) })
  const parts = { database, rootKey, accountId: '111122223333', clock: settableClock(), log }
  return { keys: new Keys(new KeyStore(parts), region), lines }
}

test('a sealed secret that was moved to another key makes that key unavailable, and no other', (t) => {
  const database = scratchDatabase(t)
  const rootKey = new RootKey(randomBytes(32))
  const { keys } = open(database, rootKey)
  const [a, b] = [keys.create({ description: '', policy }), keys.create({ description: '', policy })]
  database
    .prepare(
      'UPDATE backing_keys SET sealed_secret = (SELECT sealed_secret FROM backing_keys WHERE key_id = ?) WHERE key_id = ?',
    )
    .run(a.keyId, b.keyId)
  const reopened = open(database, rootKey)
  assert.equal(reopened.keys.get(a.keyId)?.currentBackingKey?.id, a.currentMaterialId)
  const damaged = reopened.keys.get(b.keyId)
  assert.equal(damaged?.state, 'Unavailable')
  assert.equal(damaged.currentBackingKey, undefined)
  assert.equal(damaged.backingKeys.size, 0)
  assert.match(reopened.lines.join(''), new RegExp(`"keyId":"${b.keyId}".*cannot be opened`))
  const withOtherRootKey = open(database, new RootKey(randomBytes(32)))
  assert.equal(withOtherRootKey.keys.get(a.keyId)?.state, 'Unavailable')
})

test('every value of a key’s rows is bound: whoever alters one makes the key unavailable', (t) => {
  const database = scratchDatabase(t)
  const rootKey = new RootKey(randomBytes(32))
  const { keys } = open(database, rootKey)
  const key = keys.create({ description: 'mine', policy, multiRegion: true, tags: new Map([['a', 'b']]) })
  keys.enableRotation(key, 90, new Date(0))
  const alterations = [
    "UPDATE keys SET region = 'eu-west-1'",
    `UPDATE keys SET key_id = 'mrk-${'0'.repeat(32)}'`,
    "UPDATE keys SET description = 'yours'",
    'UPDATE keys SET enabled = 0',
    "UPDATE keys SET policy = replace(policy, 'kms:*', 'kms:Decrypt')",
    `UPDATE keys SET policy_principals = '{"arn:aws:iam::111122223333:user/a":"AIDAX"}'`,
    `UPDATE keys SET tags = '{"a":"c"}'`,
    "UPDATE keys SET origin = 'EXTERNAL'",
    "UPDATE keys SET multi_region = 'REPLICA'",
    'UPDATE keys SET multi_region = NULL',
    "UPDATE keys SET primary_region = 'eu-west-1'",
    'UPDATE keys SET deletion_date = 1',
    'UPDATE keys SET pending_window_days = 7',
    'UPDATE keys SET rotation_period_days = 2560',
    'UPDATE keys SET rotation_due = 1',
    'UPDATE keys SET created_at = 1',
    'UPDATE keys SET state_tag = NULL',
    "UPDATE keys SET state_tag = x'00'",
    "UPDATE backing_keys SET backing_key_id = printf('%064d', 0)",
    'UPDATE backing_keys SET generation = 2',
    'UPDATE backing_keys SET sealed_secret = NULL',
    "UPDATE backing_keys SET state = 'NON_CURRENT'",
    "UPDATE backing_keys SET rotation_type = 'ON_DEMAND'",
    'UPDATE backing_keys SET rotated_at = 1',
    "UPDATE backing_keys SET description = 'x'",
    'UPDATE backing_keys SET expires_at = 32503680000000',
    'UPDATE backing_keys SET created_at = 1',
    'DELETE FROM backing_keys',
    "INSERT INTO backing_keys SELECT region, key_id, printf('%064d', 0), 2, sealed_secret, 'CURRENT', NULL, NULL, NULL, NULL, 0 FROM backing_keys",
  ]
  database.exec('PRAGMA foreign_keys = OFF')
  let refused = 0
  for (const alteration of alterations) {
    const altered = withRollback(database, () => {
      database.exec(alteration)
      const row = database.prepare('SELECT region, key_id AS keyId FROM keys').get()
      const store = open(database, rootKey)
      const { region: where, keyId } = { region, keyId: key.keyId, ...row }
      const keysThere = where === region ? store.keys : openIn(where, database, rootKey)
      return { key: keysThere.get(keyId), lines: store.lines }
    })
    assert.equal(altered.key?.state, 'Unavailable', alteration)
    // Nothing that the altered row says gives anybody a right.
    assert.equal(altered.key.tags.size, 0, alteration)
    assert.deepEqual(
      altered.key.policyDocument.statements.map(({ principals }) => principals),
      [[{ type: 'account', accountId: '111122223333' }]],
      alteration,
    )
    refused++
  }
  assert.equal(refused, 29)
  assert.equal(open(database, rootKey).keys.get(key.keyId)?.state, 'Enabled')
})

test('an unavailable key is logged once, and nothing changes it', (t) => {
  const database = scratchDatabase(t)
  const rootKey = new RootKey(randomBytes(32))
  const { keyId } = open(database, rootKey).keys.create({ description: '', policy })
  database.exec('UPDATE keys SET enabled = 0')
  const { keys, lines } = open(database, rootKey)
  const key = keys.get(keyId) ?? assert.fail()
  keys.get(keyId)
  assert.equal(key.state, 'Unavailable')
  assert.equal(lines.length, 1)
  for (const change of [
    (): unknown => {
      keys.setEnabled(key, true)
      return undefined
    },
    (): unknown => keys.rotate(key, { type: 'ON_DEMAND', at: 0 }),
    (): unknown => keys.scheduleDeletion(key, 7, new Date()),
  ]) {
    assert.throws(change, /was altered/)
  }
  assert.equal(keys.get(keyId)?.state, 'Unavailable')
})

test('when a key was last used is no part of what is bound', (t) => {
  const database = scratchDatabase(t)
  const rootKey = new RootKey(randomBytes(32))
  const { keyId } = open(database, rootKey).keys.create({ description: '', policy })
  database.prepare("INSERT INTO key_usage VALUES ('us-east-1', ?, 1, 'Decrypt', 'a', 'b')").run(keyId)
  assert.equal(open(database, rootKey).keys.get(keyId)?.state, 'Enabled')
})

test('a stored policy that cannot be read denies everything', (t) => {
  const database = scratchDatabase(t)
  const rootKey = new RootKey(randomBytes(32))
  const before = open(database, rootKey).keys
  const key = before.create({ description: '', policy })
  for (const stored of [
    '{"Statement":{"Effect":"Deny","NotPrincipal":"*"}}',
    policy.replace('"Effect"', '"Effect":"Deny","Effect"'),
  ]) {
    before.setPolicy(key, stored)
    const { keys, lines } = open(database, rootKey)
    const effects = keys.get(key.keyId)?.policyDocument.statements.map(({ effect }) => effect)
    assert.deepEqual(effects, ['Deny'])
    assert.match(lines.join(''), new RegExp(`"keyId":"${key.keyId}".*cannot be read`))
  }
})

test('a bound number of keys stays unsealed, those that were used last, and what is dropped is zeroed', (t) => {
  const database = scratchDatabase(t)
  const rootKey = new RootKey(randomBytes(32))
  const log = pino({ level: 'silent' })
  const parts = { database, rootKey, accountId: '111122223333', clock: settableClock(), log }
  const keys = new Keys(new KeyStore(parts, 3), region)
  const made: Key[] = []
  for (let n = 0; n < 3; n++) made.push(keys.create({ description: String(n), policy }))
  const [first, second, third] = made
  assert.equal(keys.get(first?.keyId ?? ''), first)
  keys.create({ description: 'one more', policy })
  assert.equal(keys.get(first?.keyId ?? ''), first)
  assert.equal(keys.get(third?.keyId ?? ''), third)
  assert.throws(() => second?.currentBackingKey?.blobKey(randomBytes(32)), /after it was zeroed/)
  const again = keys.get(second?.keyId ?? '')
  assert.notEqual(again, second)
  assert.deepEqual(again?.description, second?.description)
})

test('the secret of a new key is zeroed once it is sealed', (t) => {
  const database = scratchDatabase(t)
  const rootKey = new RootKey(randomBytes(32))
  const seal = t.mock.method(rootKey, 'seal')
  const { keys } = open(database, rootKey)
  keys.rotate(keys.create({ description: '', policy }), { type: 'ON_DEMAND', at: 1 })
  const secrets = seal.mock.calls.map(({ arguments: [secret] }) => secret)
  assert.equal(secrets.length, 2)
  assert.ok(secrets.every((secret) => Buffer.alloc(32).equals(secret)))
})

test('nothing of a transaction that fails stays', (t) => {
  const database = scratchDatabase(t)
  assert.throws(() => {
    inTransaction(database, () => {
      database.exec("INSERT INTO users (user_id, user_name, path, created_at) VALUES ('AIDA1', 'a', '/', 0)")
      throw new Error('half way')
    })
  }, /half way/)
  assert.equal(database.prepare('SELECT * FROM users').get(), undefined)
})

function openIn(where: string, database: DatabaseSync, rootKey: RootKey): Keys {
  const log = pino({ level: 'silent' })
  const parts = { database, rootKey, accountId: '111122223333', clock: settableClock(), log }
  return new Keys(new KeyStore(parts), where)
}

function withRollback<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN')
  try {
    return work()
  } finally {
    database.exec('ROLLBACK')
  }
}
