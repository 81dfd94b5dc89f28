import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AriaTable, keyVersionOfDataPage, keyVersionOfIndexPage, readAriaTable } from './aria-table.ts'

const table: AriaTable = {
  encrypted: true,
  rowsInPages: true,
  transactional: true,
  blockSize: 8192,
  indexStart: 8192,
}

test('the header of an index file', () => {
  assert.deepEqual(readAriaTable(header({})), table)
  assert.deepEqual(readAriaTable(header({ options: 0, transactional: 0 })), {
    ...table,
    encrypted: false,
    transactional: false,
  })
  assert.equal(readAriaTable(header({ recordType: 1 }))?.rowsInPages, false)
})

test('what is no Aria table, or not written yet', () => {
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.alloc(1024),
    header({}).fill(0, 0, 2),
    header({}).subarray(0, 300),
  ])
    assert.equal(readAriaTable(bytes), undefined)
  assert.equal(readAriaTable(header({ blockSize: 0 })), undefined)
})

test('the key version of a data page stands where its type has it', () => {
  const page = (type: number, at: number) => {
    const bytes = Buffer.alloc(8192, 0xee)
    bytes.writeUInt8(type, 7)
    bytes.writeUInt32LE(3, at)
    return bytes
  }
  assert.equal(keyVersionOfDataPage(page(1, 12), 1), 3)
  assert.equal(keyVersionOfDataPage(page(2 | 0x80, 12), 1), 3)
  assert.equal(keyVersionOfDataPage(page(3, 8), 1), 3)
  // Free, and of no type.
  assert.equal(keyVersionOfDataPage(page(0, 12), 1), undefined)
  assert.equal(keyVersionOfDataPage(page(5, 12), 1), undefined)
  // Bitmaps: one before each 21824 pages of 8 KiB.
  assert.equal(keyVersionOfDataPage(page(1, 12), 0), undefined)
  assert.equal(keyVersionOfDataPage(page(1, 12), 21825), undefined)
  assert.equal(keyVersionOfDataPage(page(1, 12), 21824), 3)
})

test('the key version of an index page stands behind its LSN', () => {
  const page = (at: number, keyNumber: number, used: number) => {
    const bytes = Buffer.alloc(8192, 0xee)
    bytes.writeUInt32LE(4, at)
    bytes.writeUInt8(keyNumber, at + 4)
    bytes.writeUInt16BE(used, at + 6)
    return bytes
  }
  assert.equal(keyVersionOfIndexPage(page(13, 0, 21), table), 4)
  assert.equal(keyVersionOfIndexPage(page(7, 0, 15), { ...table, transactional: false }), 4)
  assert.equal(keyVersionOfIndexPage(page(13, 255, 21), table), undefined)
  assert.equal(keyVersionOfIndexPage(page(13, 0, 0), table), undefined)
})

/** As MariaDB 10.11.19 writes it. */
function header({ options = 1, blockSize = 8192, recordType = 3, transactional = 1 }): Buffer {
  const bytes = Buffer.alloc(1024)
  Buffer.from('fefe09030c0001ec00d7008700ef000100000100000003', 'hex').copy(bytes)
  bytes.writeUInt8(recordType, 22)
  const base = 239
  bytes.writeBigUInt64BE(8192n, base + 16)
  bytes.writeUInt16BE(options, base + 90)
  bytes.writeUInt16BE(blockSize, base + 100)
  bytes.writeUInt8(transactional, base + 106)
  return bytes
}
