import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { pageRuns, shares } from './page-runs.ts'

test('all pages are read where all are wanted, in order and once', () => {
  fc.assert(
    fc.property(fc.nat(500), fc.integer({ min: 1, max: 70 }), (pages, length) => {
      const read = [...pageRuns(pages, pages, length)].flatMap(({ first, count }) =>
        Array.from({ length: count }, (_, at) => first + at),
      )
      assert.deepEqual(
        read,
        Array.from({ length: pages }, (_, at) => at),
      )
    }),
  )
})

test('a sample has the first and the last pages, is spread, and is as large as wanted but for a run', () => {
  assert.deepEqual(
    [...pageRuns(1000, 128, 64)],
    [
      { first: 0, count: 64 },
      { first: 960, count: 40 },
    ],
  )
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5000 }),
      fc.nat(5000),
      fc.integer({ min: 1, max: 64 }),
      (pages, wanted, length) => {
        const runs = [...pageRuns(pages, wanted, length)]
        const read = runs.reduce((sum, { count }) => sum + count, 0)
        assert.ok(read <= Math.max(wanted, length))
        assert.equal(new Set(runs.map(({ first }) => first)).size, runs.length)
        assert.ok(runs.every(({ first, count }) => count > 0 && first + count <= pages))
        assert.equal(runs[0]?.first, 0)
      },
    ),
  )
})

test('small wants are met, large ones share what is left', () => {
  assert.deepEqual(shares([10, 1000, 5, 1000], 215), [10, 100, 5, 100])
  assert.deepEqual(shares([10, 20], Infinity), [10, 20])
  assert.deepEqual(shares([], 5), [])
  fc.assert(
    fc.property(fc.array(fc.nat(1000)), fc.nat(10_000), (wants, budget) => {
      const granted = shares(wants, budget)
      assert.ok(granted.every((share, at) => share <= (wants[at] ?? 0)))
      const inAll = wants.reduce((sum, want) => sum + want, 0)
      const given = granted.reduce((sum, share) => sum + share, 0)
      assert.ok(given <= budget && given <= inAll)
      if (inAll <= budget) assert.equal(given, inAll)
    }),
  )
})

test('a file of any size is gone through without a list of all its runs', () => {
  const [first] = pageRuns(2 ** 50, Infinity, 64)
  assert.deepEqual(first, { first: 0, count: 64 })
})
