import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tableOptions } from './table-definition.ts'

const version = Buffer.from('0010d821fda4e8d011f1915602fc00000001', 'hex')
const keyId = Buffer.from('\x80\x19\x11ENCRYPTION_KEY_ID\x01\x003\x00\x00\x00\x00', 'latin1')

test('the options that a table was made with', () => {
  const options = Buffer.from('\x0fpage_compressed\x01\x801\x09ENCRYPTED\x02\x00NO\x00', 'latin1')
  assert.deepEqual(tableOptions(definition([version, keyId])), new Map([['ENCRYPTION_KEY_ID', '3']]))
  const long = Buffer.concat([Buffer.from([128, 0, options.length, 0]), options])
  assert.deepEqual(
    tableOptions(definition([version, long])),
    new Map([
      ['PAGE_COMPRESSED', '1'],
      ['ENCRYPTED', 'NO'],
    ]),
  )
  assert.deepEqual(tableOptions(definition([version])), new Map())
  assert.deepEqual(tableOptions(definition([])), new Map())
})

test('what is no definition of a table, or cut off', () => {
  assert.equal(tableOptions(Buffer.from('TYPE=VIEW\nquery=select 1\n'.padEnd(200))), undefined)
  assert.equal(tableOptions(Buffer.alloc(0)), undefined)
  const whole = definition([version, keyId])
  for (let length = 0; length < whole.length; length++)
    assert.equal(tableOptions(whole.subarray(0, length)), undefined)
  for (let byte = 64; byte < whole.length; byte++) tableOptions(Buffer.from(whole).fill(0xff, byte, byte + 1))
})

function definition(parts: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(64)
  const body = Buffer.concat(parts)
  header.writeUInt16BE(0xfe01, 0)
  header.writeUInt16LE(body.length, 4)
  return Buffer.concat([header, body])
}
