import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import { pino } from 'pino'
import { RootKey } from '../seal/root-key.ts'
import { AccessKeys } from './access-keys.ts'
import { createDatabase, inTransaction } from './database.ts'
import { Keys } from './keys.ts'
import { Users } from './users.ts'

const account = { accountId: '111122223333', region: 'us-east-1' }
const log = pino({ level: 'silent' })
const damaged = { code: 'SR_KMS_DATABASE_DAMAGED', message: /altered/ }
const policy = '{"Statement":{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}}'

function scratchDatabase(t: TestContext): DatabaseSync {
  const directory = mkdtempSync(join(tmpdir(), 'strongroom-kms-keys-'))
  const database = createDatabase(join(directory, 'kms.db'), () => undefined)
  t.after(() => {
    database.close()
    rmSync(directory, { recursive: true })
  })
  return database
}

test('a sealed row that was moved to another key or access key is refused', (t) => {
  const database = scratchDatabase(t)
  const rootKey = new RootKey(randomBytes(32))
  const keys = new Keys(database, rootKey, account, log)
  const [a, b] = [keys.create({ description: '', policy }), keys.create({ description: '', policy })]
  database
    .prepare(
      'UPDATE backing_keys SET sealed_secret = (SELECT sealed_secret FROM backing_keys WHERE key_id = ?) WHERE key_id = ?',
    )
    .run(a.keyId, b.keyId)
  const reopened = new Keys(database, rootKey, account, log)
  assert.equal(reopened.get(a.keyId)?.currentBackingKey.id, a.currentBackingKey.id)
  assert.throws(() => reopened.get(b.keyId), damaged)
  const otherRootKey = new RootKey(randomBytes(32))
  assert.throws(() => new Keys(database, otherRootKey, account, log).get(a.keyId), damaged)

  const accessKeys = new AccessKeys(database, rootKey, account.accountId)
  const [mine, other] = [accessKeys.create(undefined), accessKeys.create(undefined)]
  database
    .prepare(
      'UPDATE access_keys SET sealed_secret = (SELECT sealed_secret FROM access_keys WHERE access_key_id = ?) WHERE access_key_id = ?',
    )
    .run(mine.accessKeyId, other.accessKeyId)
  const again = new AccessKeys(database, rootKey, account.accountId)
  assert.equal(again.secretOf(mine.accessKeyId).toString(), mine.secretAccessKey)
  assert.throws(() => again.secretOf(other.accessKeyId), damaged)
})

test('a backing key that was made another generation, or an access key that was made another user’s, is refused', (t) => {
  const database = scratchDatabase(t)
  const rootKey = new RootKey(randomBytes(32))
  const key = new Keys(database, rootKey, account, log).create({ description: '', policy })
  database.prepare('UPDATE backing_keys SET generation = 2').run()
  assert.throws(() => new Keys(database, rootKey, account, log).get(key.keyId), damaged)

  const users = new Users(database, account.accountId)
  const [alice, bob] = ['alice', 'bob'].map((name) => users.create(name, '/')?.userId)
  const { accessKeyId } = new AccessKeys(database, rootKey, account.accountId).create(alice)
  for (const userId of [bob, undefined]) {
    database.prepare('UPDATE access_keys SET user_id = ?').run(userId ?? null)
    const reopened = new AccessKeys(database, rootKey, account.accountId)
    assert.throws(() => reopened.secretOf(accessKeyId), damaged)
  }
})

test('a stored policy that cannot be read allows nothing', (t) => {
  const database = scratchDatabase(t)
  const rootKey = new RootKey(randomBytes(32))
  const { keyId } = new Keys(database, rootKey, account, log).create({ description: '', policy })
  for (const stored of [
    '{"Statement":{"Effect":"Deny","NotPrincipal":"*"}}',
    policy.replace('"Effect"', '"Effect":"Deny","Effect"'),
  ]) {
    database.prepare('UPDATE keys SET policy = ?').run(stored)
    const lines: string[] = []
    const recording = pino({ level: 'error' }, { write: (line) => lines.push(line) })
    const keys = new Keys(database, rootKey, account, recording)
    assert.deepEqual(keys.get(keyId)?.policyDocument.statements, [])
    assert.match(lines.join(''), new RegExp(`"keyId":"${keyId}".*cannot be read`))
  }
})

test('nothing of a transaction that fails stays', (t) => {
  const database = scratchDatabase(t)
  assert.throws(() => {
    inTransaction(database, () => {
      database.exec("INSERT INTO users VALUES ('AIDA1', 'a', '/', 0)")
      throw new Error('half way')
    })
  }, /half way/)
  assert.equal(database.prepare('SELECT * FROM users').get(), undefined)
})

test('the bytes of a new access key’s secret are zeroed when it is sealed', (t) => {
  const made: Buffer[] = []
  const from = Buffer.from.bind(Buffer)
  t.mock.method(Buffer, 'from', (...args: Parameters<typeof from>) => {
    const bytes = from(...args)
    made.push(bytes)
    return bytes
  })
  const database = scratchDatabase(t)
  new AccessKeys(database, new RootKey(randomBytes(32)), account.accountId).create(undefined)
  const secrets = made.filter(({ length }) => length === 40)
  assert.equal(secrets.length, 1)
  assert.ok(secrets.every((bytes) => bytes.equals(Buffer.alloc(40))))
})
