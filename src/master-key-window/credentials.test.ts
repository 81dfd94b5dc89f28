import assert from 'node:assert/strict'
import { test } from 'node:test'
import { requireThatTheyLast } from './credentials.ts'

const minute = 60_000
const secret = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'
const lasting = (milliseconds: number | undefined) => ({
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: secret,
  ...(milliseconds !== undefined && { expiresAt: Date.now() + milliseconds }),
})

test('credentials that end before what they have to close are refused', () => {
  for (const left of [-minute, minute, 2.5 * minute]) {
    assert.throws(() => requireThatTheyLast(lasting(left), 2 * minute), {
      code: 'SR_WINDOW_REFUSED',
      message: /^your AWS credentials expire in .*: renew them first$/,
    })
  }
})

test('those that leave little time for trouble are warned of', () => {
  assert.match(
    requireThatTheyLast(lasting(10 * minute), 2 * minute) ?? '',
    /later than (8m|7m 59s|7m 60s) after its end$/,
  )
  assert.equal(requireThatTheyLast(lasting(20 * minute), 2 * minute), undefined)
  assert.equal(requireThatTheyLast(lasting(undefined), 2 * minute), undefined)
})
