import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { scratchDatabase } from '../../../test/support/key-store.ts'
import { RootKey } from '../seal/root-key.ts'
import { AccessKeys } from './access-keys.ts'
import { IdentityTags } from './identity-tags.ts'
import { Users } from './users.ts'

const accountId = '111122223333'
const damaged = { code: 'SR_KMS_DATABASE_DAMAGED', message: /altered/ }

test('a sealed secret that was moved to another access key is refused', (t) => {
  const database = scratchDatabase(t)
  const rootKey = new RootKey(randomBytes(32))
  const accessKeys = new AccessKeys(database, rootKey, accountId)
  const [mine, other] = [accessKeys.create(undefined), accessKeys.create(undefined)]
  database
    .prepare(
      'UPDATE access_keys SET sealed_secret = (SELECT sealed_secret FROM access_keys WHERE access_key_id = ?) WHERE access_key_id = ?',
    )
    .run(mine.accessKeyId, other.accessKeyId)
  const again = new AccessKeys(database, rootKey, accountId)
  assert.equal(again.secretOf(mine.accessKeyId).toString(), mine.secretAccessKey)
  assert.throws(() => again.secretOf(other.accessKeyId), damaged)
})

test('an access key that was made another user’s is refused', (t) => {
  const database = scratchDatabase(t)
  const rootKey = new RootKey(randomBytes(32))
  const users = new Users(database, accountId, new IdentityTags(database, rootKey))
  const [alice, bob] = ['alice', 'bob'].map(
    (userName) => users.create({ userName, path: '/', tags: new Map() }).userId,
  )
  const { accessKeyId } = new AccessKeys(database, rootKey, accountId).create(alice)
  for (const userId of [bob, undefined]) {
    database.prepare('UPDATE access_keys SET user_id = ?').run(userId ?? null)
    const reopened = new AccessKeys(database, rootKey, accountId)
    assert.throws(() => reopened.secretOf(accessKeyId), damaged)
  }
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
  new AccessKeys(database, new RootKey(randomBytes(32)), accountId).create(undefined)
  const secrets = made.filter(({ length }) => length === 40)
  assert.equal(secrets.length, 1)
  assert.ok(secrets.every((bytes) => bytes.equals(Buffer.alloc(40))))
})
