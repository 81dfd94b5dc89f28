import { DecryptCommand } from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { afterEach, beforeEach, describe, test, type TestContext } from 'node:test'
import { withKmsClient } from './kms-client.ts'

/** A server that answers one status and AWS error name after the other, then goes on with the last; returns what it saw. */
async function answering(
  t: TestContext,
  answers: readonly (readonly [status: number, name: string])[],
): Promise<{ endpoint: string; requests: () => number }> {
  let requests = 0
  const server = createServer((request, response) => {
    const [status, name] = answers[Math.min(requests, answers.length - 1)] ?? [500, '']
    requests += 1
    request.resume()
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' })
    response.end(
      JSON.stringify(
        status === 200 ? { KeyId: 'k', Plaintext: 'AAAA' } : { __type: name, message: 'as it says' },
      ),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no address')
  return { endpoint: `http://127.0.0.1:${address.port}`, requests: () => requests }
}

const decrypt = (endpoint: string): Promise<unknown> =>
  withKmsClient(
    { keyId: 'k', region: 'us-east-1', endpoint },
    (client) => client.send(new DecryptCommand({ CiphertextBlob: Buffer.from('x') })),
    [1, 1],
  )

describe('the client of the sealing KMS', () => {
  const before = { ...process.env }
  beforeEach(() => {
    process.env['AWS_ACCESS_KEY_ID'] = 'AKIAIOSFODNN7EXAMPLE'
    process.env['AWS_SECRET_ACCESS_KEY'] = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'
  })
  afterEach(() => {
    process.env = { ...before }
  })

  test('tries again while the KMS has trouble of its own', async (t) => {
    const { endpoint, requests } = await answering(t, [
      [500, 'KMSInternalException'],
      [400, 'ThrottlingException'],
      [200, ''],
    ])
    await decrypt(endpoint)
    assert.equal(requests(), 3)
  })

  test('gives up at last, and says why', async (t) => {
    const { endpoint, requests } = await answering(t, [[503, 'KMSInternalException']])
    await assert.rejects(decrypt(endpoint), {
      code: 'SR_KMS_SEAL',
      message: /KMSInternalException: as it says/,
    })
    assert.equal(requests(), 3)
    await assert.rejects(decrypt('http://127.0.0.1:1'), {
      code: 'SR_KMS_SEAL',
      message: /ECONNREFUSED.*see that it runs and can be reached/,
    })
  })

  test('does not try again what the KMS refuses', async (t) => {
    for (const [name, help] of [
      ['AccessDeniedException', /let its key policy or IAM allow kms:Decrypt/],
      ['DisabledException', /enable the key there/],
      ['KMSInvalidStateException', /cancel the deletion/],
      ['NotFoundException', /name the right one/],
      ['InvalidCiphertextException', /was altered or belongs to another service/],
    ] as const) {
      const { endpoint, requests } = await answering(t, [[400, name]])
      await assert.rejects(decrypt(endpoint), { code: 'SR_KMS_SEAL', message: help })
      assert.equal(requests(), 1, name)
    }
  })
})
