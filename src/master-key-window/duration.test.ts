import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatDuration, parseDuration } from './duration.ts'

const bounds = { least: '1s', most: '12h' }

for (const [text, milliseconds] of [
  ['1s', 1000],
  ['90s', 90_000],
  ['2m', 120_000],
  ['12h', 43_200_000],
] as const) {
  test(`${text} is ${milliseconds} ms`, () => {
    assert.equal(parseDuration(text, '--for', bounds), milliseconds)
  })
}

for (const text of ['', '0s', '2', '2min', '-1m', '1.5h', '13h', '43201s', '1 m', 's', '9999999s']) {
  test(`"${text}" is no time`, () => {
    assert.throws(() => parseDuration(text, '--for', bounds), {
      code: 'SR_USAGE',
      message: `--for takes a time such as 90s, 2m or 1h, from 1s to 12h; "${text}" is none`,
    })
  })
}

test('times are shown in whole seconds', () => {
  const shown = [-5, 0, 499, 500, 61_000, 3_600_000, 3_723_000].map(formatDuration)
  assert.deepEqual(shown, ['0s', '0s', '0s', '1s', '1m 1s', '1h', '1h 2m 3s'])
})
