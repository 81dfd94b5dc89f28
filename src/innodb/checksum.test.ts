import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formats, makePage } from '../../test/support/innodb-pages.ts'
import { crc32c, isWhole, keyVersionOf } from './checksum.ts'

test('CRC-32C, as RFC 3720 has it', () => {
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283)
  assert.equal(crc32c(Buffer.alloc(32)), 0x8a9136aa)
  assert.equal(crc32c(Buffer.alloc(32, 0xff)), 0x62a8ab43)
  assert.equal(crc32c(Buffer.alloc(0)), 0)
})

for (const [name, { format }] of Object.entries(formats)) {
  for (const keyVersion of [0, 1, 4294967293]) {
    test(`a page of format ${name} under version ${keyVersion} is whole, but not torn or in another's place`, () => {
      const page = makePage(format, { number: 5, keyVersion })
      assert.equal(isWhole(page, 5, format), true)
      assert.equal(keyVersionOf(page, format), keyVersion)
      assert.equal(isWhole(page, 6, format), false)
      // Of a compressed page in the clear, the server's checksum may be one of three kinds: it is taken by its number.
      if (name === 'compressed' && keyVersion === 0) return
      const torn = Buffer.from(page)
      makePage(format, { number: 5, keyVersion, content: Buffer.from('newer ') }).copy(torn, 512, 512)
      torn.writeUInt32BE(4712, torn.length - 4)
      assert.equal(isWhole(torn, 5, format), false)
    })
  }
}

test('old format: what stands where the key version is counts only with the checksum of an encrypted page', () => {
  const { format } = formats.old
  const page = makePage(format, { number: 5 })
  page.writeUInt32BE(286, 26)
  assert.equal(isWhole(page, 5, format), true)
  assert.equal(keyVersionOf(page, format), 0)
})

test('full_crc32: a page that is compressed ends before the end of its place', () => {
  const { format } = formats.full
  const page = makePage(format, { number: 5, type: 0x8000 | 3 })
  page.writeUInt32BE(crc32c(page.subarray(0, 764)), 764)
  assert.equal(isWhole(page, 5, format), true)
  for (const type of [0x8000, 0x8000 | 65]) {
    page.writeUInt16BE(type, 24)
    assert.equal(isWhole(page, 5, format), false)
  }
})
