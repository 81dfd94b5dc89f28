import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stepAt, totpCode } from './totp.ts'

test('the SHA-1 vectors of RFC 6238, appendix B, by their last 6 digits', () => {
  const seed = Buffer.from('12345678901234567890')
  const vectors: [seconds: number, step: number, code: string][] = [
    [59, 0x1, '94287082'],
    [1111111109, 0x23523ec, '07081804'],
    [1111111111, 0x23523ed, '14050471'],
    [1234567890, 0x273ef07, '89005924'],
    [2000000000, 0x3f940aa, '69279037'],
    [20000000000, 0x27bc86aa, '65353130'],
  ]
  let ran = 0
  for (const [seconds, step, code] of vectors) {
    assert.equal(stepAt(new Date(seconds * 1000)), step)
    assert.equal(totpCode(seed, step), code.slice(2))
    ran++
  }
  assert.equal(ran, 6)
})

test('the vectors of RFC 4226, appendix D', () => {
  const seed = Buffer.from('12345678901234567890')
  const codes = Array.from({ length: 10 }, (_, counter) => totpCode(seed, counter))
  assert.deepEqual(codes, [
    '755224',
    '287082',
    '359152',
    '969429',
    '338314',
    '254676',
    '287922',
    '162583',
    '399871',
    '520489',
  ])
})

test('a step begins every 30 seconds', () => {
  const at = (milliseconds: number): number => stepAt(new Date(milliseconds))
  assert.deepEqual([at(0), at(29_999), at(30_000), at(59_999), at(60_000)], [0, 0, 1, 1, 2])
})
