import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { unifiedHunks } from './text-diff.ts'

test('as diff -u writes it', () => {
  const former = 'a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\n'
  assert.deepEqual(unifiedHunks(former, former.replace('b\n', 'B\n').replace('k\n', 'k\nl\n')), [
    '@@ -1,5 +1,5 @@',
    ...[' a', '-b', '+B', ' c', ' d', ' e'],
    '@@ -9,3 +9,4 @@',
    ...[' i', ' j', ' k', '+l'],
  ])
  assert.deepEqual(unifiedHunks('', 'a\n'), ['@@ -0,0 +1 @@', '+a'])
  assert.deepEqual(unifiedHunks('a\n', ''), ['@@ -1 +0,0 @@', '-a'])
  assert.deepEqual(unifiedHunks('a', 'a\n'), ['@@ -1 +1 @@', '-a\n\\ No newline at end of file', '+a'])
  assert.deepEqual(unifiedHunks(former, former), [])
})

test('whoever applies the hunks has the other text', () => {
  const text = fc
    .array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 30 })
    .map((lines) => lines.map((line) => `${line}\n`).join(''))
  fc.assert(
    fc.property(text, text, (former, next) => {
      assert.equal(patched(former, unifiedHunks(former, next)), next)
    }),
  )
})

function patched(former: string, hunks: readonly string[]): string {
  const lines = former.split('\n').slice(0, -1)
  const result: string[] = []
  let at = 0
  for (const line of hunks) {
    const [, start, length] = /^@@ -(\d+)(?:,(\d+))? /.exec(line) ?? []
    if (start !== undefined) {
      const from = length === '0' ? Number(start) : Number(start) - 1
      result.push(...lines.slice(at, from))
      at = from
      continue
    }
    if (line.startsWith('+')) result.push(line.slice(1))
    else {
      assert.equal(lines[at], line.slice(1))
      at += 1
      if (line.startsWith(' ')) result.push(line.slice(1))
    }
  }
  return [...result, ...lines.slice(at)].map((line) => `${line}\n`).join('')
}
