import assert from 'node:assert/strict'
import { test } from 'node:test'
import { time } from './dates.ts'

test('dates are ISO 8601 with a zone, or seconds since 1970, and nothing else', () => {
  const table: [text: string, iso: string | undefined][] = [
    ['2030-01-02', '2030-01-02T00:00:00.000Z'],
    ['2030-01-02T03:04Z', '2030-01-02T03:04:00.000Z'],
    ['2030-01-02T03:04:05Z', '2030-01-02T03:04:05.000Z'],
    ['2030-01-02T03:04:05.678Z', '2030-01-02T03:04:05.678Z'],
    ['2030-01-02T03:04:05+02:00', '2030-01-02T01:04:05.000Z'],
    ['2028-02-29', '2028-02-29T00:00:00.000Z'],
    ['1893553445', '2030-01-02T03:04:05.000Z'],
    ['123456789', '1973-11-29T21:33:09.000Z'],
    ['12345678', undefined],
    ['2030', undefined],
    ['2030-01', undefined],
    ['20300102', undefined],
    ['1893553445.5', undefined],
    ['-1893553445', undefined],
    ['1e10', undefined],
    ['0x70dbd880', undefined],
    ['2030-01-02T03:04:05', undefined],
    ['2030-01-02 03:04:05Z', undefined],
    ['2030-02-30', undefined],
    ['2030-02-29T00:00:00Z', undefined],
    ['2030-13-01', undefined],
    ['2030-01-02T25:00:00Z', undefined],
    ['January 2, 2030', undefined],
    ['1/2/2030', undefined],
    [' 2030-01-02', undefined],
    ['', undefined],
  ]
  for (const [text, iso] of table) {
    const milliseconds = time(text)
    assert.equal(milliseconds === undefined ? undefined : new Date(milliseconds).toISOString(), iso, text)
  }
  assert.equal(table.length, 26)
})
