import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readNetwork } from './networks.ts'

test('networks', () => {
  const table: [network: string, address: string, inside: boolean][] = [
    ['203.0.113.0/24', '203.0.113.255', true],
    ['203.0.113.0/24', '203.0.114.0', false],
    ['203.0.113.7', '203.0.113.7', true],
    ['203.0.113.7', '203.0.113.8', false],
    ['203.0.113.7/0', '8.8.8.8', true],
    ['0.0.0.0/0', '::1', false],
    ['::/0', '8.8.8.8', false],
    ['::/0', '2001:db8::1', true],
    ['2001:db8::/32', '2001:db8:ffff::1', true],
    ['2001:DB8::/32', '2001:db9::1', false],
    ['::1', '::1', true],
    // An IPv4 client of a server that listens on IPv6.
    ['203.0.113.0/24', '::ffff:203.0.113.9', true],
    ['203.0.113.0/24', '::FFFF:203.0.114.9', false],
    ['::ffff:203.0.113.0/120', '203.0.113.9', true],
    ['::ffff:203.0.113.0/120', '::ffff:203.0.113.9', true],
    ['::ffff:203.0.113.0/120', '203.0.114.9', false],
    ['203.0.113.0/24', 'somewhere', false],
    ['203.0.113.0/24', '', false],
  ]
  for (const [network, address, inside] of table) {
    assert.equal(readNetwork(network)?.(address), inside, `${address} in ${network}`)
  }
  assert.equal(table.length, 18)
})

test('what is no network', () => {
  const table = [
    '',
    'localhost',
    '203.0.113',
    '203.0.113.0/33',
    '203.0.113.0/',
    '203.0.113.0/24/24',
    '203.0.113.0/-1',
    '203.0.113.0/2a',
    '::/129',
    '::ffff:203.0.113.0/95',
    '*',
    '203.0.113.*',
  ]
  for (const text of table) assert.equal(readNetwork(text), undefined, text)
  assert.equal(table.length, 12)
})
