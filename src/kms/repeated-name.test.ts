import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { repeatedName } from './repeated-name.ts'

test('finds a name that one object has twice, however it is written', () => {
  const table: [json: string, repeated: string | undefined][] = [
    ['{"a":1,"a":2}', 'a'],
    ['{"a":1,"b":{"c":1,"c":2}}', 'c'],
    ['[{"a":1},{"a":1,"b":[],"a":2}]', 'a'],
    ['{"Effect":1,"Eff\\u0065ct":2}', 'Effect'],
    ['{"\\"":1,"\\u0022":2}', '"'],
    ['{"\\\\":1,"\\u005c":2}', '\\'],
    ['{ "a" : "x" , "a" : 1 }', 'a'],
    ['{"":1,"":2}', ''],
    ['{"__proto__":1,"__proto__":2}', '__proto__'],
    ['{"a":{"a":{"a":1}}}', undefined],
    ['{"a":["a","a"],"b":"a"}', undefined],
    ['{"a":"\\"a\\":1,\\"a\\":2"}', undefined],
    ['{"a":"}","b":"{\\"b\\":1"}', undefined],
    ['{"a":1,"A":2}', undefined],
    ['["a","a"]', undefined],
    ['"a"', undefined],
    ['1', undefined],
  ]
  for (const [json, repeated] of table) {
    assert.doesNotThrow(() => JSON.parse(json), json)
    assert.equal(repeatedName(json), repeated, json)
  }
  assert.equal(table.length, 17)
})

test('finds none in what JSON.stringify wrote', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.equal(repeatedName(JSON.stringify(value, null, 1)), undefined)
    }),
    { numRuns: 300 },
  )
})

test('costs little more than parsing does', () => {
  const strings = Array.from({ length: 20_000 }, (_, n): [string, string] => [`name${n}\\`, `"${n}\\`])
  const json = JSON.stringify({ wide: Object.fromEntries(strings), deep: '\\"'.repeat(200_000) })
  const time = (work: () => void): number => {
    const times = Array.from({ length: 5 }, () => {
      const start = performance.now()
      work()
      return performance.now() - start
    })
    return Math.min(...times)
  }
  const parsing = time(() => {
    assert.ok(JSON.parse(json) !== undefined)
  })
  assert.ok(time(() => void repeatedName(json)) < 20 * parsing + 5)
})
