import { CreateKeyCommand, DecryptCommand, EncryptCommand, type KMSClient } from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { hash, randomInt } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import { startKms } from '../support/kms-process.ts'
import { readTrail } from '../support/kms-service.ts'
import { scratchDirectory } from '../support/scratch.ts'
import { strongroom } from '../support/strongroom.ts'

interface Acknowledged {
  readonly keyId: string
  readonly blob: Uint8Array
}

async function makeKey(client: KMSClient): Promise<Acknowledged> {
  const { KeyMetadata } = await client.send(new CreateKeyCommand({}))
  const keyId = KeyMetadata?.KeyId ?? ''
  const Plaintext = Buffer.from(keyId)
  const { CiphertextBlob } = await client.send(new EncryptCommand({ KeyId: keyId, Plaintext }))
  return { keyId, blob: CiphertextBlob ?? new Uint8Array() }
}

async function requireDecrypts(client: KMSClient, { keyId, blob }: Acknowledged): Promise<void> {
  const { Plaintext } = await client.send(new DecryptCommand({ CiphertextBlob: blob }))
  assert.equal(Buffer.from(Plaintext ?? []).toString(), keyId)
}

const keysMade = (output: string): number => Number(/[:;] (\d+) master keys/.exec(output)?.[1])

test('a backup under load has every key that was acknowledged before it, and restores to a service', async (t) => {
  const scratch = scratchDirectory(t)
  const [directory, backup, restored] = ['kms', 'backup', 'restored'].map((name) => join(scratch, name))
  if (directory === undefined || backup === undefined || restored === undefined) throw new Error('no names')
  const service = await startKms(t, { directory })
  const client = service.client()
  const keys: Acknowledged[] = []
  for (let i = 0; i < 50; i += 1) keys.push(await makeKey(client))

  const state = { loaded: true, decrypted: 0 }
  const decrypting = Array.from({ length: 4 }, async () => {
    for (; state.loaded; state.decrypted += 1) {
      await requireDecrypts(client, keys[randomInt(50)] ?? assert.fail('there is no such key'))
    }
  })
  const creating = (async () => {
    while (state.loaded) keys.push(await makeKey(client))
  })()
  const acknowledged = [...keys]
  const made = await strongroom(['kms', 'backup', '--data', directory, '--to', backup, '--with-audit-trail'])
  state.loaded = false
  await Promise.all([...decrypting, creating])
  assert.equal(made.code, 0, made.stderr)
  assert.match(made.stdout, /while the service runs/)
  assert.match(made.stderr, /the root key is NOT in the backup.*kms\/root-key/)
  assert.ok(state.decrypted > 0, 'nothing was decrypted meanwhile')
  assert.ok(keys.length > acknowledged.length, 'nothing was created meanwhile')
  for (const key of keys) await requireDecrypts(client, key)
  await service.stop()

  assert.equal(statSync(backup).mode & 0o777, 0o700)
  for (const name of readdirSync(backup)) assert.equal(statSync(join(backup, name)).mode & 0o777, 0o600, name)
  assert.deepEqual(readdirSync(backup).sort(), ['audit-trail.jsonl', 'kms.db', 'manifest.json'])
  const rootKey = join(directory, 'root-key')
  const secret = readFileSync(rootKey).subarray(-32)
  for (const name of readdirSync(backup))
    assert.equal(readFileSync(join(backup, name)).includes(secret), false)

  const without = await strongroom(['kms', 'restore', '--check', '--from', backup])
  assert.match(without.stderr, /without the root key.*--root-key.*\[SR_KMS_ROOT_KEY_MISSING\]/)
  const checked = await strongroom(['kms', 'restore', '--check', '--from', backup, '--root-key', rootKey])
  assert.equal(checked.code, 0, checked.stderr)
  assert.ok(keysMade(checked.stdout) >= acknowledged.length, checked.stdout)
  const done = await strongroom([
    'kms',
    'restore',
    '--from',
    backup,
    '--data',
    restored,
    '--root-key',
    rootKey,
  ])
  assert.equal(done.code, 0, done.stderr)
  assert.equal(statSync(restored).mode & 0o777, 0o700)
  const twice = await strongroom([
    'kms',
    'restore',
    '--from',
    backup,
    '--data',
    restored,
    '--root-key',
    rootKey,
  ])
  assert.match(twice.stderr, /is not empty.*\[SR_KMS_DIRECTORY\]/)

  const copy = await startKms(t, { directory: restored })
  for (const key of acknowledged) await requireDecrypts(copy.client(directory), key)
  const names = readTrail(restored).map((record) => record['eventName'])
  assert.equal(names.filter((name) => name === 'RestoredFromBackup').length, 1)
  assert.equal(names.includes('AuditTrailMismatch'), false)
  const backups = readTrail(directory).filter((record) => record['eventName'] === 'BackupDatabase')
  assert.deepEqual(
    backups.map((record) => record['serviceEventDetails']),
    [{ target: join(backup, 'kms.db') }],
  )
  assert.equal(existsSync(join(restored, 'restored.json')), false)
  await copy.stop()
  const verdict = await strongroom(['kms', 'audit', 'verify', '--data', restored])
  assert.equal(verdict.code, 0, verdict.stdout)
})

async function backedUp(t: TestContext): Promise<{ scratch: string; directory: string; backup: string }> {
  const scratch = scratchDirectory(t)
  const [directory, backup] = [join(scratch, 'kms'), join(scratch, 'backup')]
  const service = await startKms(t, { directory })
  for (let i = 0; i < 3; i += 1) await makeKey(service.client())
  await service.stop()
  const made = await strongroom(['kms', 'backup', '--data', directory, '--to', backup, '--include-root-key'])
  assert.equal(made.code, 0, made.stderr)
  assert.match(made.stdout, /of a service that does not run: 3 master keys/)
  assert.match(made.stderr, /the root key is IN the backup, in the clear/)
  return { scratch, directory, backup }
}

test('of a backup in which anything is wrong nothing is made', async (t) => {
  const { scratch, backup } = await backedUp(t)
  const inDatabase = (sql: string) => (copy: string) => {
    const database = new DatabaseSync(join(copy, 'kms.db'))
    database.exec(sql)
    database.close()
    forge(copy)
  }
  const table: [what: string, message: RegExp, damage: (copy: string) => void][] = [
    [
      'no manifest',
      /cannot read .*manifest.json.*\[SR_KMS_BACKUP\]/,
      (copy) => {
        rmSync(join(copy, 'manifest.json'))
      },
    ],
    [
      'half a manifest',
      /is not the manifest.*\[SR_KMS_BACKUP\]/,
      (copy) => {
        writeFileSync(join(copy, 'manifest.json'), '{"format":')
      },
    ],
    [
      'no database',
      /cannot read .*kms.db.*\[SR_KMS_BACKUP\]/,
      (copy) => {
        rmSync(join(copy, 'kms.db'))
      },
    ],
    [
      'a changed byte',
      /kms.db is not as it was.*\[SR_KMS_BACKUP\]/,
      (copy) => {
        const bytes = readFileSync(join(copy, 'kms.db'))
        bytes.writeUInt8(bytes.readUInt8(5000) ^ 1, 5000)
        writeFileSync(join(copy, 'kms.db'), bytes)
      },
    ],
    [
      'a root key of another service',
      /\[SR_KMS_ROOT_KEY_WRONG\]/,
      (copy) => {
        const bytes = readFileSync(join(copy, 'root-key'))
        bytes.writeUInt8(bytes.readUInt8(40) ^ 1, 40)
        writeFileSync(join(copy, 'root-key'), bytes)
        forge(copy)
      },
    ],
    [
      'a key that was enabled',
      /the row of state of key .* was altered.*\[SR_KMS_DATABASE_DAMAGED\]/,
      inDatabase('UPDATE keys SET enabled = 1 - enabled'),
    ],
    [
      'a backing key of another key',
      /the row of backing key .* was altered.*\[SR_KMS_DATABASE_DAMAGED\]/,
      inDatabase(
        'UPDATE backing_keys SET sealed_secret = (SELECT sealed_secret FROM backing_keys ORDER BY key_id LIMIT 1)',
      ),
    ],
    [
      'an access key',
      /the row of access key .* was altered.*\[SR_KMS_DATABASE_DAMAGED\]/,
      inDatabase('UPDATE access_keys SET sealed_secret = randomblob(68)'),
    ],
    [
      'another account',
      /the row of the service in it was altered.*\[SR_KMS_ROOT_KEY_WRONG\]/,
      inDatabase("UPDATE service SET account_id = '123456789012'"),
    ],
    [
      'a key that is gone',
      /the table backing_keys has 2 rows, not the 3.*\[SR_KMS_BACKUP\]/,
      inDatabase(
        'DELETE FROM backing_keys WHERE key_id = (SELECT key_id FROM keys LIMIT 1); DELETE FROM keys WHERE key_id = (SELECT key_id FROM keys LIMIT 1)',
      ),
    ],
  ]
  for (const [what, message, damage] of table) {
    const copy = join(scratch, 'damaged')
    cpSync(backup, copy, { recursive: true })
    damage(copy)
    const target = join(scratch, 'target')
    for (const args of [['--check'], ['--data', target]]) {
      const run = await strongroom(['kms', 'restore', '--from', copy, ...args])
      assert.equal(run.code, 1, what)
      assert.match(run.stderr, message, what)
    }
    assert.deepEqual(readdirSync(scratch).sort(), ['backup', 'damaged', 'kms'], what)
    rmSync(copy, { recursive: true })
  }
  assert.equal(table.length, 10)
})

/** Whoever can alter a backup can write a manifest that fits. */
function forge(copy: string): void {
  const path = join(copy, 'manifest.json')
  const text = readFileSync(path, 'utf8')
  const digests = Object.fromEntries(
    ['kms.db', 'root-key'].map((name) => [name, hash('sha256', readFileSync(join(copy, name)), 'hex')]),
  )
  writeFileSync(path, text.replace(/"files": \{[^}]*\}/, `"files": ${JSON.stringify(digests)}`))
}

test('a backup overwrites nothing, and leaves nothing behind when it fails', async (t) => {
  const { scratch, directory, backup } = await backedUp(t)
  const manifest = readFileSync(join(backup, 'manifest.json'))
  const again = await strongroom(['kms', 'backup', '--data', directory, '--to', backup])
  assert.equal(again.code, 1)
  assert.match(again.stderr, /cannot make .*backup \(EEXIST\).*\[SR_KMS_BACKUP\]/)
  assert.deepEqual(readFileSync(join(backup, 'manifest.json')), manifest)
  const nowhere = await strongroom([
    'kms',
    'backup',
    '--data',
    join(scratch, 'none'),
    '--to',
    join(scratch, 'b2'),
  ])
  assert.match(nowhere.stderr, /\[SR_KMS_DATABASE_MISSING\]/)

  const page = readFileSync(join(directory, 'kms.db')).fill(0xff, 8192, 12_288)
  copyFileSync(join(directory, 'kms.db'), join(scratch, 'kms.db'))
  writeFileSync(join(directory, 'kms.db'), page)
  chmodSync(join(directory, 'kms.db'), 0o600)
  const damaged = await strongroom(['kms', 'backup', '--data', directory, '--to', join(scratch, 'b2')])
  assert.match(damaged.stderr, /\[SR_KMS_DATABASE_DAMAGED\]/)
  assert.equal(existsSync(join(scratch, 'b2')), false)
})
