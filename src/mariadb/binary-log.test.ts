import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readBinaryLogStart } from './binary-log.ts'

const magic = Buffer.from('\xfebin', 'latin1')
const description = event(15, Buffer.alloc(229))
const encryption = event(
  164,
  Buffer.from('01f1e2000031383 8d659f2f8879db64d074b4a'.replaceAll(' ', ''), 'hex'),
)
const gtidList = event(163, Buffer.alloc(8))

test('an encrypted log names the version of key 1', () => {
  const start = Buffer.concat([magic, description, encryption, Buffer.alloc(50, 'unreadable')])
  assert.deepEqual(readBinaryLogStart(start), { encrypted: true, keyVersion: 0xe2f1 })
})

test('a log in the clear, with and without events', () => {
  const start = [magic, description, gtidList]
  assert.deepEqual(readBinaryLogStart(Buffer.concat(start)), { encrypted: false, holdsEvents: true })
  assert.deepEqual(readBinaryLogStart(Buffer.concat(start.slice(0, 2))), {
    encrypted: false,
    holdsEvents: false,
  })
  assert.deepEqual(readBinaryLogStart(magic), { encrypted: false, holdsEvents: false })
})

test('what is no binary log, or ends in the middle', () => {
  for (const content of ['', 'text', '\xfebi', '/var/log/mysql/binlog.000001\n'])
    assert.equal(readBinaryLogStart(Buffer.from(content, 'latin1')), undefined)
  assert.equal(readBinaryLogStart(Buffer.concat([magic, gtidList])), undefined)
  const whole = Buffer.concat([magic, description, encryption])
  for (let length = 4; length < whole.length; length++) readBinaryLogStart(whole.subarray(0, length))
})

function event(type: number, body: Buffer): Buffer {
  const header = Buffer.alloc(19)
  header.writeUInt8(type, 4)
  header.writeUInt32LE(header.length + body.length, 9)
  return Buffer.concat([header, body])
}
