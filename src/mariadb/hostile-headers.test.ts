import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ariaHeaderLength, keyVersionOfDataPage, keyVersionOfIndexPage, readAriaTable } from './aria-table.ts'
import { binaryLogStartLength, readBinaryLogStart } from './binary-log.ts'
import { tableDefinitionLength, tableOptions } from './table-definition.ts'

/** Headers that whoever took over the server may have written: each gives an answer, or undefined; none throws. */

const bytesBehind = (magic: readonly number[], length: number) =>
  fc.uint8Array({ maxLength: length }).map((bytes) => Buffer.concat([Buffer.from(magic), bytes]))

test('Aria tables', () => {
  fc.assert(
    fc.property(bytesBehind([0xfe, 0xfe, 9], ariaHeaderLength), fc.nat(0xffff), (header, base) => {
      if (header.length > 14) header.writeUInt16BE(base % (header.length + 8), 12)
      const table = readAriaTable(header)
      if (table === undefined) return
      const page = Buffer.alloc(table.blockSize, header)
      assert.ok(table.blockSize <= 65_535)
      for (const version of [keyVersionOfDataPage(page, 1), keyVersionOfIndexPage(page, table)])
        assert.ok(version === undefined || version <= 0xffffffff)
    }),
    { numRuns: 2000 },
  )
})

test('binary logs', () => {
  fc.assert(
    fc.property(bytesBehind([0xfe, 0x62, 0x69, 0x6e], binaryLogStartLength), (start) => {
      if (start.length > 8) start.writeUInt8(15, 8)
      const found = readBinaryLogStart(start)
      assert.ok(found === undefined || typeof found.encrypted === 'boolean')
    }),
    { numRuns: 2000 },
  )
})

test('definitions of tables', () => {
  const part = fc.tuple(fc.constantFrom(128, 1), fc.uint8Array({ maxLength: 300 }))
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), fc.nat(0xffff), (parts, length) => {
      const body = Buffer.concat(parts.map(([type, bytes]) => Buffer.from([type, ...bytes])))
      const frm = Buffer.concat([Buffer.alloc(64), body])
      frm.writeUInt16BE(0xfe01, 0)
      frm.writeUInt16LE(Math.min(length, body.length), 4)
      assert.ok(frm.length <= tableDefinitionLength)
      assert.ok(tableOptions(frm) !== undefined)
    }),
    { numRuns: 2000 },
  )
})
