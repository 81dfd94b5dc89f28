import { CreateVirtualMFADeviceCommand, IAMClient } from '@aws-sdk/client-iam'
import {
  CreateGrantCommand,
  CreateKeyCommand,
  GetParametersForImportCommand,
  KMSClient,
  RotateKeyOnDemandCommand,
} from '@aws-sdk/client-kms'
import { GetSessionTokenCommand, STSClient } from '@aws-sdk/client-sts'
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { readRootAccessKey } from '../../../test/support/kms-service.ts'
import { openKmsService } from '../service.ts'
import { type DataDirectory, openDataDirectory } from '../state/data-directory.ts'
import { CertificateAuthority } from '../tls/certificate-authority.ts'
import { checkContents } from './check-contents.ts'
import { sealedColumns } from './sealed-columns.ts'

/** The open directory of a service that has something in every table with a sealed column. */
async function withEverything(t: TestContext): Promise<DataDirectory> {
  const directory = mkdtempSync(join(tmpdir(), 'strongroom-check-'))
  t.after(() => {
    rmSync(directory, { recursive: true })
  })
  const service = await openKmsService({ dataDirectory: directory, listen: '127.0.0.1:0' })
  const config = { endpoint: service.url, region: 'us-east-1', credentials: readRootAccessKey(directory) }
  const [kms, iam, sts] = [new KMSClient(config), new IAMClient(config), new STSClient(config)]
  const { KeyMetadata: key } = await kms.send(new CreateKeyCommand({}))
  await kms.send(new RotateKeyOnDemandCommand({ KeyId: key?.KeyId }))
  await kms.send(
    new CreateGrantCommand({
      KeyId: key?.KeyId,
      GranteePrincipal: 'arn:aws:iam::111122223333:root',
      Operations: ['Decrypt'],
    }),
  )
  const { KeyMetadata: imported } = await kms.send(new CreateKeyCommand({ Origin: 'EXTERNAL' }))
  await kms.send(
    new GetParametersForImportCommand({
      KeyId: imported?.KeyId,
      WrappingAlgorithm: 'RSAES_OAEP_SHA_256',
      WrappingKeySpec: 'RSA_2048',
    }),
  )
  await iam.send(new CreateVirtualMFADeviceCommand({ VirtualMFADeviceName: 'phone' }))
  await sts.send(new GetSessionTokenCommand({}))
  await service.close()
  const data = await openDataDirectory(directory, {})
  t.after(() => {
    data.close()
  })
  await CertificateAuthority.open(data.database, data.rootKey, new Date())
  return data
}

test('every kind of secret is unsealed, and every tag verified; each that was altered is named', async (t) => {
  const data = await withEverything(t)
  const { database } = data
  for (const { table, column } of sealedColumns) {
    const found = database.prepare(`SELECT count(*) AS rows FROM ${table} WHERE ${column} IS NOT NULL`).get()
    assert.ok(Number(found?.['rows']) > 0, `nothing is in ${table}`)
  }
  // The check, two backing keys, an access key, a wrapping key, a seed, a session, a private key.
  assert.deepEqual(checkContents(data), { secrets: 8, keys: 2, grants: 1 })
  const alterations: [sql: string, message: RegExp][] = [
    ...sealedColumns
      .filter(({ table }) => table !== 'service')
      .map(({ table, column }): [string, RegExp] => [
        `UPDATE ${table} SET ${column} = randomblob(60) WHERE ${column} IS NOT NULL`,
        /^the row of .+ was altered/,
      ]),
    ["UPDATE keys SET description = 'x'", /^the row of state of key .+ was altered/],
    [`UPDATE grants SET operations = '["Encrypt"]'`, /^the row of a grant on key .+ was altered/],
    [
      "INSERT INTO aliases VALUES ('us-east-1', 'alias/a', 'none', 0, 0, NULL)",
      /^the database is damaged \(1 of its rows refer to others/,
    ],
    [
      "INSERT INTO aliases SELECT region, 'alias/a', key_id, 0, 0, NULL FROM keys LIMIT 1",
      /^the row of the alias alias\/a in us-east-1 was altered/,
    ],
    ["DELETE FROM backing_keys WHERE state = 'CURRENT'", /^the row of state of key .+ was altered/],
  ]
  database.exec('PRAGMA foreign_keys = OFF')
  for (const [sql, message] of alterations) {
    database.exec('BEGIN')
    database.exec(sql)
    assert.throws(() => checkContents(data), { code: 'SR_KMS_DATABASE_DAMAGED', message }, sql)
    database.exec('ROLLBACK')
  }
  assert.equal(alterations.length, 11)
  assert.equal(checkContents(data).keys, 2)
})
