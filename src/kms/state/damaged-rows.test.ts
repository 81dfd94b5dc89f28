import {
  CreateAliasCommand,
  CreateGrantCommand,
  DescribeKeyCommand,
  EnableKeyRotationCommand,
  EncryptCommand,
  ListAliasesCommand,
} from '@aws-sdk/client-kms'
import { GetSessionTokenCommand, STSClient } from '@aws-sdk/client-sts'
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe as suite, test } from 'node:test'
import { describe, encrypt, newKey } from '../../../test/support/kms-keys.ts'
import { readRootAccessKey, startTestService } from '../../../test/support/kms-service.ts'
import { settableClock, scratchDatabase } from '../../../test/support/key-store.ts'
import { recordingPino } from '../../../test/support/audit-trail.ts'
import { scratchDirectory } from '../../../test/support/scratch.ts'
import { openKmsService } from '../service.ts'
import { inTransaction } from './database.ts'

const day = 86_400_000
const tooLarge = '9000000000000000000'

function alter(directory: string, sql: string): void {
  const database = new DatabaseSync(join(directory, 'kms.db'))
  database.exec('PRAGMA ignore_check_constraints = ON')
  database.exec(sql)
  database.close()
}

suite('a row that holds what no release writes', () => {
  for (const column of [
    `created_at = ${tooLarge}`,
    `deletion_date = -${tooLarge}`,
    `rotation_due = -${tooLarge}, rotation_period_days = 365`,
    'created_at = 8640000000000001',
  ]) {
    test(`makes its key unavailable, and keeps no other from what is due: ${column}`, async (t) => {
      const clock = settableClock()
      const service = await startTestService(t, { clock })
      const [damaged, right] = [await newKey(service.kms()), await newKey(service.kms())]
      await service.reopen(() => {
        alter(
          service.directory,
          `UPDATE keys SET ${column} WHERE key_id = '${damaged.id}';
           UPDATE backing_keys SET expires_at = -${tooLarge} WHERE key_id = '${damaged.id}'`,
        )
      })
      const kms = service.kms()
      assert.equal((await describe(kms, damaged.id)).KeyState, 'Unavailable')
      await assert.rejects(kms.send(new EncryptCommand({ KeyId: damaged.id, Plaintext: Buffer.from('x') })), {
        name: 'KMSInvalidStateException',
      })
      await kms.send(new EnableKeyRotationCommand({ KeyId: right.id, RotationPeriodInDays: 90 }))
      const before = await encrypt(kms, right.id)
      clock.pass(91 * day)
      await service.current.runDue()
      clock.pass(2 * day)
      await service.current.runDue()
      const after = await encrypt(kms, right.id)
      const backingKeyId = (blob: Uint8Array): string => Buffer.from(blob).toString('hex', 19, 51)
      assert.notEqual(backingKeyId(after), backingKeyId(before))
    })
  }

  test('makes a grant allow nothing, and its key go on', async (t) => {
    const service = await startTestService(t)
    const { id } = await newKey(service.kms())
    await service.kms().send(
      new CreateGrantCommand({
        KeyId: id,
        GranteePrincipal: 'arn:aws:iam::111122223333:root',
        Operations: ['Decrypt'],
      }),
    )
    await service.reopen(() => {
      alter(service.directory, "UPDATE grants SET operations = '['")
    })
    await encrypt(service.kms(), id)
  })

  for (const sql of [
    "UPDATE sessions SET details = '{'",
    `UPDATE sessions SET expires_at = ${tooLarge}`,
    `INSERT OR REPLACE INTO clock VALUES (1, ${tooLarge})`,
    `UPDATE access_keys SET created_at = ${tooLarge}`,
  ]) {
    test(`is named at the start: ${sql}`, async (t) => {
      const dataDirectory = scratchDirectory(t)
      const service = await openKmsService({ dataDirectory, listen: '127.0.0.1:0' })
      const credentials = readRootAccessKey(dataDirectory)
      const sts = new STSClient({ endpoint: service.url, region: 'us-east-1', credentials })
      await sts.send(new GetSessionTokenCommand({}))
      await service.close()
      alter(dataDirectory, sql)
      await assert.rejects(openKmsService({ dataDirectory, listen: '127.0.0.1:0' }), {
        code: 'SR_KMS_DATABASE_DAMAGED',
        message: /^the database is damaged: .+ cannot be read; bring it back from a backup$/,
      })
    })
  }
})

test('an alias that somebody led to another key names none, and can be made anew', async (t) => {
  const { log, entries } = recordingPino()
  const service = await startTestService(t, { log })
  const [mine, theirs] = [await newKey(service.kms()), await newKey(service.kms())]
  const AliasName = 'alias/payroll'
  await service.kms().send(new CreateAliasCommand({ AliasName, TargetKeyId: mine.id }))
  await service.reopen(() => {
    alter(service.directory, `UPDATE aliases SET key_id = '${theirs.id}'`)
  })
  const kms = service.kms()
  await assert.rejects(kms.send(new DescribeKeyCommand({ KeyId: AliasName })), { name: 'NotFoundException' })
  assert.equal(
    entries().filter(({ msg }) => msg === 'a stored alias was altered, so it names no key').length,
    1,
  )
  await kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: mine.id }))
  assert.equal((await describe(kms, AliasName)).KeyId, mine.id)
  await service.reopen()
  assert.equal((await describe(service.kms(), AliasName)).KeyId, mine.id)
  assert.equal((await service.kms().send(new ListAliasesCommand({}))).Aliases?.length, 1)
})

test('what failed first is told, also when SQLite has rolled back by itself', (t) => {
  const database = scratchDatabase(t)
  const work = (): void => {
    database.exec('ROLLBACK')
    throw new Error('the disk is full')
  }
  assert.throws(() => {
    inTransaction(database, work)
  }, /^Error: the disk is full$/)
  assert.equal(database.isTransaction, false)
})
