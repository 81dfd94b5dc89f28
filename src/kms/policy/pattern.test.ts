import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Effort } from './effort.ts'
import { compile, literal, matches, wildcardParts } from './pattern.ts'

function fits(pattern: string, text: string): boolean {
  return matches(compile(wildcardParts(pattern)), text, new Effort())
}

test('wildcards match as a regular expression would', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b') })
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?') })
  fc.assert(
    fc.property(pattern, text, (wanted, value) => {
      const expression = new RegExp(`^${wanted.replaceAll('*', '.*').replaceAll('?', '.')}$`)
      assert.equal(fits(wanted, value), expression.test(value))
    }),
    { numRuns: 2000 },
  )
})

test('wildcards', () => {
  const table: [string, string, boolean][] = [
    ['', '', true],
    ['*', '', true],
    ['?', '', false],
    ['a*c', 'abbbc', true],
    ['a*c', 'abbbcd', false],
    ['*a*b*', 'xxaxxbxx', true],
    ['a?c', 'a?c', true],
    ['*', 'a*b', true],
    ['a.c', 'abc', false],
    ['**', 'a', true],
    ['*ab', 'aab', true],
    ['a*a', 'a', false],
    ['a*a', 'aa', true],
    ['ab*ba', 'aba', false],
    ['*?b*', 'abb', true],
    ['*b?*d', 'abbcd', true],
    ['*?*', '', false],
    ['?*', 'é', true],
    ['a', 'ab', false],
  ]
  for (const [pattern, text, matching] of table) assert.equal(fits(pattern, text), matching, pattern)
  assert.equal(table.length, 19)
  // A regular expression would need years for this one.
  assert.equal(fits('*a'.repeat(50) + 'b', 'a'.repeat(5000)), false)
})

test('wildcards that are text are not wildcards', () => {
  const pattern = compile([{ text: 'a*' }, '*', { text: '?' }])
  for (const [text, matching] of Object.entries({
    'a*?': true,
    'a*bc?': true,
    'abc?': false,
    'a*bcd': false,
  })) {
    assert.equal(matches(pattern, text, new Effort()), matching, text)
  }
  assert.equal(literal(compile([{ text: 'a*' }, { text: '?' }])), 'a*?')
})

test('whoever costs too much is stopped', () => {
  const effort = new Effort()
  effort.spend(2 ** 24)
  assert.throws(() => {
    effort.spend(1)
  }, /the policies of a request take too many steps/)
  const pattern = compile(wildcardParts('*?a*?b*'))
  const spent = new Effort()
  assert.throws(() => {
    for (let n = 0; n < 10_000; n++) matches(pattern, 'a'.repeat(8192), spent)
  }, /too many steps/)
})
