import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { pino } from 'pino'
import { settableClock } from '../../../../test/support/key-store.ts'
import { encryptBlob, decryptBlob, parseBlob } from '../../ciphertext.ts'
import { BackingKey } from '../../backing-key.ts'
import { RootKey } from '../../seal/root-key.ts'
import { bringToNewestSchema } from '../database.ts'
import { Keys } from '../keys.ts'
import { migrations } from '../schema.ts'
import { tagFirstKeys } from './first-tags.ts'
import { KeyStore } from './key-store.ts'

const accountId = '111122223333'
const keyId = '00112233-4455-6677-8899-aabbccddeeff'
const materials = ['0a'.repeat(32), '0b'.repeat(32)]
const alice = `arn:aws:iam::${accountId}:user/team/alice`
const policy = JSON.stringify({
  Statement: { Effect: 'Allow', Principal: { AWS: alice }, Action: 'kms:*', Resource: '*' },
})

test('keys of the first version of the database are whole afterwards, and what is not tagged then is altered', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'strongroom-kms-first-'))
  const database = new DatabaseSync(join(directory, 'kms.db'))
  t.after(() => {
    database.close()
    rmSync(directory, { recursive: true })
  })
  const rootKey = new RootKey(randomBytes(32))
  const secrets = materials.map(() => randomBytes(32))
  makeFirstVersion(database, rootKey, secrets)
  const old = encryptBlob(
    { keyId, backingKey: new BackingKey(materials[0] ?? '', Buffer.from(secrets[0] ?? [])) },
    Buffer.from('old'),
    new Map(),
  )
  bringToNewestSchema(database, () => {
    tagFirstKeys(database, rootKey, accountId)
  })

  const key = open(database, rootKey).get(keyId)
  assert.equal(key?.state, 'Disabled')
  assert.equal(key.currentMaterialId, materials[1])
  assert.deepEqual([...key.policyPrincipals], [[alice, 'AIDAALICE']])
  const backingKey = key.backingKeys.get(parseBlob(old).backingKeyId) ?? assert.fail()
  assert.equal(decryptBlob(parseBlob(old), backingKey, new Map()).toString(), 'old')

  database.exec('UPDATE keys SET state_tag = NULL')
  assert.equal(open(database, rootKey).get(keyId)?.state, 'Unavailable')
})

function open(database: DatabaseSync, rootKey: RootKey): Keys {
  const log = pino({ level: 'silent' })
  return new Keys(new KeyStore({ database, rootKey, accountId, clock: settableClock(), log }), 'us-east-1')
}

function makeFirstVersion(database: DatabaseSync, rootKey: RootKey, secrets: readonly Buffer[]): void {
  database.exec(migrations[0] ?? '')
  database.exec('PRAGMA user_version = 1')
  const insert = (sql: string, ...values: (string | number | Buffer)[]): void => {
    database.prepare(sql).run(...values)
  }
  insert('INSERT INTO service VALUES (1, ?, ?, ?, 0)', accountId, 'us-east-1', Buffer.alloc(1))
  insert('INSERT INTO users VALUES (?, ?, ?, 0)', 'AIDAALICE', 'alice', '/team/')
  insert('INSERT INTO keys VALUES (?, ?, 0, ?, 0)', keyId, 'of before', policy)
  for (const [index, id] of materials.entries()) {
    const generation = index + 1
    // The words by which secrets were bound from the first version on.
    const sealed = rootKey.seal(
      secrets[index] ?? Buffer.alloc(0),
      `backing key ${id}, generation ${generation} of key ${keyId}`,
    )
    insert('INSERT INTO backing_keys VALUES (?, ?, ?, ?, 0)', id, keyId, generation, sealed)
  }
}
