import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { pino } from 'pino'
import { CreateKeyCommand, EncryptCommand, KMSClient } from '@aws-sdk/client-kms'
import { StrongroomError } from '../../errors.ts'
import { readRootAccessKey } from '../../../test/support/kms-service.ts'
import { openKmsService } from '../service.ts'
import { decryptBlob, parseBlob } from '../ciphertext.ts'
import { systemClock } from '../clock.ts'
import { openDataDirectory } from '../state/data-directory.ts'
import { KeyStore } from '../state/keys/key-store.ts'
import { checkContents } from './check-contents.ts'

interface Example {
  readonly directory: string
  readonly blobs: readonly Uint8Array[]
}

/** A stopped service's directory with keys in it, and a blob of each. */
async function example(t: TestContext): Promise<Example> {
  const directory = mkdtempSync(join(tmpdir(), 'strongroom-damage-'))
  t.after(() => {
    rmSync(directory, { recursive: true })
  })
  const service = await openKmsService({ dataDirectory: directory, listen: '127.0.0.1:0' })
  const client = new KMSClient({
    endpoint: service.url,
    region: 'us-east-1',
    credentials: readRootAccessKey(directory),
  })
  const blobs: Uint8Array[] = []
  for (let i = 0; i < 20; i += 1) {
    const { KeyMetadata } = await client.send(new CreateKeyCommand({}))
    const Plaintext = Buffer.from('payroll')
    const { CiphertextBlob } = await client.send(new EncryptCommand({ KeyId: KeyMetadata?.KeyId, Plaintext }))
    if (CiphertextBlob !== undefined) blobs.push(CiphertextBlob)
  }
  await service.close()
  return { directory, blobs }
}

/** Opens, checks and decrypts: `good`, or the code of the error that said otherwise. */
async function outcome({ directory, blobs }: Example): Promise<string> {
  try {
    const data = await openDataDirectory(directory, {})
    try {
      assert.equal(data.created, false)
      const { keys } = checkContents(data)
      assert.equal(keys, blobs.length)
      const store = new KeyStore({
        ...data,
        accountId: data.account.accountId,
        clock: systemClock,
        log: pino({ level: 'silent' }),
      })
      for (const blob of blobs) {
        const parsed = parseBlob(Buffer.from(blob))
        const key = store.get({ region: 'us-east-1', keyId: parsed.keyId })
        const backingKey = key?.backingKeys.get(parsed.backingKeyId)
        assert.ok(backingKey !== undefined)
        assert.equal(decryptBlob(parsed, backingKey, new Map()).toString(), 'payroll')
      }
      return 'good'
    } finally {
      data.close()
    }
  } catch (error) {
    if (error instanceof StrongroomError) return error.code
    throw error
  }
}

test('whichever byte of the database is damaged, the start or the check says so, or nothing was lost', async (t) => {
  const { directory, blobs } = await example(t)
  assert.equal(await outcome({ directory, blobs }), 'good')
  const path = join(directory, 'kms.db')
  const whole = readFileSync(path)
  const outcomes = new Map<string, number>()
  // Most of a young database is empty; bytes that are set hit more.
  const set = Array.from(whole.keys()).filter((at) => whole[at] !== 0)
  for (let i = 0; i < 200; i += 1) {
    const at = set[randomInt(set.length)] ?? 0
    const bit = 1 << randomInt(8)
    const damaged = Buffer.from(whole)
    damaged.writeUInt8(damaged.readUInt8(at) ^ bit, at)
    writeFileSync(path, damaged)
    const code = await outcome({ directory, blobs })
    outcomes.set(code, (outcomes.get(code) ?? 0) + 1)
    assert.match(code, /^(good|SR_KMS_[A-Z_]+)$/, `byte ${at}, bit ${bit}`)
    for (const name of ['kms.db-wal', 'kms.db-journal']) rmSync(join(directory, name), { force: true })
  }
  t.diagnostic(JSON.stringify(Object.fromEntries(outcomes)))
  assert.ok((outcomes.get('good') ?? 0) < 100)
})

test('a database that is cut short anywhere does not start', async (t) => {
  const { directory, blobs } = await example(t)
  const path = join(directory, 'kms.db')
  const whole = readFileSync(path)
  for (const length of [0, 1, 99, 100, 4095, 4096, 8192, whole.length / 2, whole.length - 4096]) {
    writeFileSync(path, whole)
    truncateSync(path, length)
    assert.match(
      await outcome({ directory, blobs }),
      /^SR_KMS_DATABASE_(DAMAGED|FOREIGN)$/,
      `${length} bytes`,
    )
    assert.equal(readFileSync(path).length, length)
  }
})
