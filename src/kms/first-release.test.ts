import { DescribeKeyCommand, EncryptCommand } from '@aws-sdk/client-kms'
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { startTestService } from '../../test/support/kms-service.ts'
import { RootKey } from './seal/root-key.ts'
import { applicationId, migrations } from './state/schema.ts'

const keyId = '00112233-4455-6677-8899-aabbccddeeff'
const userId = 'AIDAIOSFODNN7EXAMPLE'
const accessKey = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'not-a-secret/EXAMPLE' }

/** The files of a data directory as the first release of the service left them. */
function writeFirstRelease(directory: string): void {
  const bytes = randomBytes(32)
  writeFileSync(join(directory, 'root-key'), Buffer.concat([Buffer.from('strongroom root key 1\n'), bytes]), {
    mode: 0o600,
  })
  const rootKey = new RootKey(bytes)
  const database = new DatabaseSync(join(directory, 'kms.db'))
  database.exec(`PRAGMA application_id = ${applicationId}; ${migrations[0] ?? ''}; PRAGMA user_version = 1`)
  const insert = (table: string, ...values: (string | number | Buffer | null)[]): unknown =>
    database.prepare(`INSERT INTO ${table} VALUES (${values.map(() => '?').join(', ')})`).run(...values)
  insert('service', 1, '111122223333', 'us-east-1', rootKey.seal(Buffer.from('strongroom kms'), 'service'), 1)
  const policy = {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { AWS: ['arn:aws:iam::111122223333:root', 'arn:aws:iam::111122223333:user/mariadb'] },
        Action: 'kms:*',
        Resource: '*',
      },
    ],
  }
  insert('keys', keyId, 'at rest', 1, JSON.stringify(policy), 1)
  const backingKey = `backing key b1, generation 1 of key ${keyId}`
  insert('backing_keys', 'b1', keyId, 1, rootKey.seal(randomBytes(32), backingKey), 1)
  insert('aliases', 'alias/at-rest', keyId, 1, 1)
  insert('users', userId, 'mariadb', '/', 1)
  const { accessKeyId, secretAccessKey } = accessKey
  const sealed = rootKey.seal(Buffer.from(secretAccessKey), `access key ${accessKeyId} of user ${userId}`)
  insert('access_keys', accessKeyId, userId, sealed, 1, 1)
  database.close()
}

test('a data directory of the first release is opened, with its users, access keys, keys and aliases', async (t) => {
  const service = await startTestService(t)
  await service.reopen(() => {
    for (const name of ['kms.db', 'kms.db-wal', 'root-key', 'audit-trail.jsonl']) {
      rmSync(join(service.directory, name), { force: true })
    }
    writeFirstRelease(service.directory)
  })
  for (let time = 0; time < 2; time++) {
    const { Arn } = await service.sts(accessKey).send(new GetCallerIdentityCommand({}))
    assert.equal(Arn, 'arn:aws:iam::111122223333:user/mariadb')
    const kms = service.kms(accessKey)
    await kms.send(new EncryptCommand({ KeyId: 'alias/at-rest', Plaintext: Buffer.from('x') }))
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: keyId }))
    assert.deepEqual([KeyMetadata?.Description, KeyMetadata?.KeyState], ['at rest', 'Enabled'])
    await service.reopen()
  }
})
