import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import jsqr from 'jsqr'
import { PNG } from 'pngjs'
import { base32 } from './base32.ts'
import { enrolment } from './enrolment.ts'

test('the vectors of RFC 4648, section 10, without their padding', () => {
  const vectors: [text: string, encoded: string][] = [
    ['', ''],
    ['f', 'MY'],
    ['fo', 'MZXQ'],
    ['foo', 'MZXW6'],
    ['foob', 'MZXW6YQ'],
    ['fooba', 'MZXW6YTB'],
    ['foobar', 'MZXW6YTBOI'],
  ]
  for (const [text, encoded] of vectors) assert.equal(base32(Buffer.from(text)), encoded)
  assert.equal(vectors.length, 7)
  assert.equal(base32(Buffer.alloc(40, 0xff)), '7'.repeat(64))
})

test('another program reads the picture as the otpauth URI of the seed', () => {
  const { base32Seed, qrCode } = enrolment(Buffer.from('12345678901234567890'), 'mariadb@111122223333')
  assert.equal(base32Seed, 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ')
  assert.equal(
    read(qrCode),
    'otpauth://totp/Strongroom:mariadb%40111122223333' +
      '?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Strongroom',
  )
})

test('the picture has the white margin of four modules that scanners need, then a black corner', () => {
  const { data, width, height } = PNG.sync.read(enrolment(Buffer.alloc(40), 'mariadb@111122223333').qrCode)
  const isBlack = (x: number, y: number): boolean => data[(y * width + x) * 4] === 0
  assert.equal(width, height)
  for (let y = 0; y < 16; y++) {
    for (let x = 0; x < width; x++) assert.ok(!isBlack(x, y) && !isBlack(y, x), `${x} ${y}`)
  }
  assert.ok(isBlack(16, 16) && isBlack(19, 19))
})

test('pictures of random seeds and long names can be read', () => {
  for (let i = 0; i < 20; i++) {
    const { base32Seed, qrCode } = enrolment(randomBytes(40), `${'n'.repeat(i * 10 + 1)}@111122223333`)
    assert.match(base32Seed, /^[A-Z2-7]{64}$/)
    assert.ok(read(qrCode)?.includes(`secret=${base32Seed}&`), `${i}`)
  }
})

function read(png: Buffer): string | undefined {
  const { data, width, height } = PNG.sync.read(png)
  return jsqr.default(new Uint8ClampedArray(data), width, height, { inversionAttempts: 'dontInvert' })?.data
}
