import assert from 'node:assert/strict'
import { test } from 'node:test'
import { extentSize, parsePageFormat } from './page-format.ts'

// As written by MariaDB 10.11.19 with each innodb_page_size, and 4 of them with innodb_checksum_algorithm=crc32.
const measured: [flags: number, pageSize: number, physicalSize: number, fullCrc32: boolean][] = [
  [0x13, 4096, 4096, true],
  [0x14, 8192, 8192, true],
  [0x15, 16384, 16384, true],
  [0x35, 16384, 16384, true], // page_compressed
  [0x16, 32768, 32768, true],
  [0x17, 65536, 65536, true],
  [0x00, 16384, 16384, false],
  [0x21, 16384, 16384, false],
  [0x29, 16384, 8192, false], // ROW_FORMAT=COMPRESSED
  [0x0c0 | 0x21, 4096, 4096, false],
  [0x180 | 0x21, 32768, 32768, false],
  [0x10021, 16384, 16384, false], // page_compressed
]

test('flags of tablespaces', () => {
  for (const [flags, pageSize, physicalSize, fullCrc32] of measured)
    assert.deepEqual(parsePageFormat(flags), { pageSize, physicalSize, fullCrc32 }, `0x${flags.toString(16)}`)
})

test('flags that no MariaDB from 10.4 on writes', () => {
  for (const flags of [0x10, 0x12, 0x18, 0x115, 0x80000015, 0x40, 0x140, 0x0d, 0x2000, 0xffffffff, 0xcb])
    assert.equal(parsePageFormat(flags), undefined, `0x${flags.toString(16)}`)
})

test('extents are of 1 MiB, of large pages of more', () => {
  const sizes = [0x13, 0x14, 0x15, 0x16, 0x17].map((flags) => {
    const format = parsePageFormat(flags)
    assert.ok(format)
    return extentSize(format)
  })
  assert.deepEqual(sizes, [256, 128, 64, 64, 64])
})
