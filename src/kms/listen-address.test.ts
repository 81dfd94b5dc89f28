import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseListenAddress } from './listen-address.ts'

test('takes loopback addresses, and refuses all others', () => {
  assert.deepEqual(parseListenAddress('127.0.0.1:8202'), {
    host: '127.0.0.1',
    port: 8202,
    urlHost: '127.0.0.1',
  })
  assert.deepEqual(parseListenAddress('[::1]:0'), { host: '::1', port: 0, urlHost: '[::1]' })
  assert.equal(parseListenAddress('localhost:1').host, '127.0.0.1')
  const refused = [
    '0.0.0.0:8202',
    '[::]:8202',
    '192.168.1.1:8202',
    'example.com:80',
    '127.0.0.1',
    '127.0.0.1:65536',
    ':1',
    '',
  ]
  for (const text of refused) {
    assert.throws(() => parseListenAddress(text), { code: 'SR_KMS_LISTEN' }, text)
  }
})
