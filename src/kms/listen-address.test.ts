import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseListenAddress, requireLoopback } from './listen-address.ts'

test('reads numeric addresses and localhost, and nothing else', () => {
  assert.deepEqual(parseListenAddress('127.0.0.1:8202'), {
    host: '127.0.0.1',
    port: 8202,
    urlHost: '127.0.0.1',
  })
  assert.deepEqual(parseListenAddress('[::1]:0'), { host: '::1', port: 0, urlHost: '[::1]' })
  assert.equal(parseListenAddress('localhost:1').host, '127.0.0.1')
  for (const text of ['example.com:80', '127.0.0.1', '127.0.0.1:65536', ':1', '', '::1:8202', '1.2.3:4']) {
    assert.throws(() => parseListenAddress(text), { code: 'SR_KMS_LISTEN' }, text)
  }
})

test('tells addresses that other machines reach from those of this machine', () => {
  for (const text of ['127.0.0.1:1', '127.3.2.1:1', '[::1]:1', 'localhost:1'])
    requireLoopback(parseListenAddress(text))
  for (const text of ['0.0.0.0:1', '[::]:1', '192.168.1.1:1', '[2001:db8::1]:1', '128.0.0.1:1'])
    assert.throws(
      () => {
        requireLoopback(parseListenAddress(text))
      },
      { code: 'SR_KMS_LISTEN', message: /without TLS/ },
      text,
    )
})
