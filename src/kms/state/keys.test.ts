import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import { RootKey } from '../seal/root-key.ts'
import { AccessKeys } from './access-keys.ts'
import { createDatabase, inTransaction } from './database.ts'
import { Keys } from './keys.ts'

const account = { accountId: '111122223333', region: 'us-east-1' }
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
  const keys = new Keys(database, rootKey, account)
  const [a, b] = [keys.create({ description: '', policy }), keys.create({ description: '', policy })]
  database
    .prepare(
      'UPDATE backing_keys SET sealed_secret = (SELECT sealed_secret FROM backing_keys WHERE key_id = ?) WHERE key_id = ?',
    )
    .run(a.keyId, b.keyId)
  const reopened = new Keys(database, rootKey, account)
  assert.equal(reopened.get(a.keyId)?.currentBackingKey.id, a.currentBackingKey.id)
  assert.throws(() => reopened.get(b.keyId), /altered/)
  assert.throws(() => new Keys(database, new RootKey(randomBytes(32)), account).get(a.keyId), /altered/)

  const accessKeys = new AccessKeys(database, rootKey, account.accountId)
  const [mine, other] = [accessKeys.create(undefined), accessKeys.create(undefined)]
  database
    .prepare(
      'UPDATE access_keys SET sealed_secret = (SELECT sealed_secret FROM access_keys WHERE access_key_id = ?) WHERE access_key_id = ?',
    )
    .run(mine.accessKeyId, other.accessKeyId)
  const again = new AccessKeys(database, rootKey, account.accountId)
  assert.equal(again.secretOf(mine.accessKeyId).toString(), mine.secretAccessKey)
  assert.throws(() => again.secretOf(other.accessKeyId), /altered/)
})

test('a stored policy that cannot be read allows nothing', (t) => {
  const database = scratchDatabase(t)
  const rootKey = new RootKey(randomBytes(32))
  const { keyId } = new Keys(database, rootKey, account).create({ description: '', policy })
  database.prepare('UPDATE keys SET policy = ?').run('{"Statement":{"Effect":"Deny","NotPrincipal":"*"}}')
  assert.deepEqual(new Keys(database, rootKey, account).get(keyId)?.policyDocument.statements, [])
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
