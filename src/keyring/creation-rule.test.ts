import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCreationRule } from './creation-rule.ts'

const asked = [1, 2, 3, 99, 100, 199, 200, 4294967295]

for (const [text, allowed] of [
  ['on-demand', asked],
  ['off', []],
  ['2', [2]],
  [' 1 , 100 - 199,4294967295', [1, 100, 199, 4294967295]],
] as const) {
  test(`"${text}" allows those ids and no others`, () => {
    const rule = parseCreationRule(text)
    assert.deepEqual(
      asked.filter((keyId) => rule.allows(keyId)),
      allowed,
    )
  })
}

for (const text of ['', 'on', '0', '1,', '5-2', '1-4294967296', '-1', '1.5']) {
  test(`"${text}" is no creation rule`, () => {
    assert.throws(() => parseCreationRule(text), { code: 'SR_CONFIG_INVALID' })
  })
}
