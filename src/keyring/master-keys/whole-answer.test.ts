import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { scratchDirectory } from '../../../test/support/scratch.ts'
import { AwsKmsMasterKey } from './aws-kms.ts'

/** A master key at a server that answers so. */
async function masterKeyAt(
  t: TestContext,
  answer: (response: ServerResponse) => void,
): Promise<AwsKmsMasterKey> {
  const server = createServer((_request, response) => {
    answer(response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  const credentialsFile = join(scratchDirectory(t), 'credentials')
  writeFileSync(credentialsFile, '[default]\naws_access_key_id = an\naws_secret_access_key = example\n')
  const masterKey = new AwsKmsMasterKey({
    ...{ masterKeyId: 'alias/mariadb', region: 'us-east-1', endpointUrl: `http://127.0.0.1:${port}` },
    ...{ requestTimeout: 30_000, credentialsFile, profile: undefined },
  })
  t.after(() => {
    masterKey.close()
    server.closeAllConnections()
    server.close()
  })
  return masterKey
}

for (const status of [200, 400]) {
  test(`an answer without an end does not fill memory, with status ${status}`, async (t) => {
    const masterKey = await masterKeyAt(t, (response) => {
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' })
      const endless = Readable.from(
        (function* () {
          for (;;) yield Buffer.alloc(65_536, '"')
        })(),
      )
      endless.pipe(response)
    })
    const tooLarge = { code: 'SR_KMS_FAILED', message: "the KMS's answer has more than 1048576 bytes" }
    await assert.rejects(masterKey.wrapNew('AES_256', undefined), tooLarge)
    await assert.rejects(masterKey.unwrap(Buffer.from('wrapped'), undefined, undefined), tooLarge)
  })
}

test('K10: what a KMS says of a refusal is still told', async (t) => {
  const masterKey = await masterKeyAt(t, (response) => {
    response.writeHead(400, { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': 'an-id' })
    response.end('{"__type":"DisabledException","message":"is disabled"}')
  })
  const disabled = {
    code: 'SR_MASTER_KEY_DISABLED',
    message: /DisabledException: is disabled, request id an-id/,
  }
  await assert.rejects(masterKey.wrapNew('AES_256', undefined), disabled)
  await assert.rejects(masterKey.unwrap(Buffer.from('wrapped'), undefined, undefined), disabled)
})
