import assert from 'node:assert/strict'
import { test } from 'node:test'
import { awsAccessFrom } from './aws-options.ts'

test('an endpoint is asked over https, or on this machine', () => {
  for (const url of ['kms.example.com', 'http://kms.example.com', 'http://192.0.2.1:8202']) {
    assert.throws(() => awsAccessFrom({ 'endpoint-url': url }), {
      code: 'SR_USAGE',
      message: /^--endpoint-url must be an https URL, or an http URL at a loopback address/,
    })
  }
  for (const url of ['https://kms.example.com', 'http://127.0.0.1:8202']) {
    const access = awsAccessFrom({ 'endpoint-url': url })
    assert.equal(access.endpoint, url)
    access.close()
  }
})

test('a region is the name of one', () => {
  assert.throws(() => awsAccessFrom({ region: 'us west' }), { code: 'SR_USAGE', message: /^--region/ })
})
