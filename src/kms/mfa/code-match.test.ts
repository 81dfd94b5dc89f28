import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matchingPair, matchingStep } from './code-match.ts'
import { totpCode } from './totp.ts'

const seed = Buffer.from('12345678901234567890')
/** 755224 287082 359152 969429 338314: the codes of steps 0 to 4, of RFC 4226. */
const range = { first: 1, last: 3 }

test('a code matches in the range alone, both ends included', () => {
  const codes = ['755224', '287082', '359152', '969429', '338314']
  assert.deepEqual(
    codes.map((code) => matchingStep(seed, code, range)),
    [undefined, 1, 2, 3, undefined],
  )
  for (const wrong of ['000000', '28708', '2870820', '', '287082 ']) {
    assert.equal(matchingStep(seed, wrong, range), undefined, wrong)
  }
})

test('a code that two steps share is that of the later one', () => {
  const { earlier, later } = sharedCode()
  const code = totpCode(seed, earlier)
  assert.equal(matchingStep(seed, code, { first: earlier, last: later }), later)
})

test('two codes match in their order, without a gap, with both steps in the range', () => {
  const pair = (first: string, second: string): number | undefined =>
    matchingPair(seed, { first, second }, range)
  assert.equal(pair('287082', '359152'), 2)
  assert.equal(pair('359152', '969429'), 3)
  assert.equal(pair('755224', '287082'), undefined, 'the first is before the range')
  assert.equal(pair('969429', '338314'), undefined, 'the second is after the range')
  assert.equal(pair('359152', '287082'), undefined, 'the wrong way round')
  assert.equal(pair('287082', '969429'), undefined, 'a gap')
  assert.equal(pair('287082', '287082'), undefined, 'the same twice')
  assert.equal(pair('287082', '000000'), undefined)
  assert.equal(pair('000000', '359152'), undefined)
})

/** Two steps of one code: among so many there are some. */
function sharedCode(): { earlier: number; later: number } {
  const stepOf = new Map<string, number>()
  for (let step = 0; step < 100_000; step++) {
    const code = totpCode(seed, step)
    const earlier = stepOf.get(code)
    if (earlier !== undefined && step - earlier < 1000) return { earlier, later: step }
    stepOf.set(code, step)
  }
  throw new Error('no two steps share a code')
}
