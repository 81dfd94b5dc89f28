import { KMSClient, ListKeysCommand } from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfidentialHttpHandler, isConfidential } from './confidential-http.ts'

test('https everywhere, http on this machine alone', () => {
  for (const url of [
    'https://kms.example.com',
    'HTTPS://192.0.2.1:8202/',
    'http://localhost:8202',
    'http://127.0.0.1:8202',
    'http://127.1:8202',
    'http://[::1]:8202',
  ])
    assert.ok(isConfidential(url), url)
  for (const url of [
    'http://kms.example.com',
    'http://192.0.2.1:8202',
    'http://localhost.example.com',
    'http://127.0.0.1.example.com',
    'http://localhost@kms.example.com',
    'http://0.0.0.0:8202',
    'http://[2001:db8::1]:8202',
    'ftp://127.0.0.1',
    '127.0.0.1:8202',
    '',
  ])
    assert.ok(!isConfidential(url), url)
})

test('a client asks nothing where others could read it, wherever the endpoint comes from', async (t) => {
  process.env['AWS_ENDPOINT_URL'] = 'http://192.0.2.1:8202'
  t.after(() => delete process.env['AWS_ENDPOINT_URL'])
  const client = new KMSClient({
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'example' },
    maxAttempts: 1,
    // It would wait for half a minute: nobody answers there.
    requestHandler: new ConfidentialHttpHandler({ connectionTimeout: 30_000 }),
  })
  t.after(() => {
    client.destroy()
  })
  await assert.rejects(client.send(new ListKeysCommand({})), {
    code: 'SR_PLAIN_HTTP',
    message: /^the endpoint http:\/\/192\.0\.2\.1 must be an https URL/,
  })
})
