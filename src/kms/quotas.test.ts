import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Principal } from './principal.ts'
import { parseQuotas, Quotas } from './quotas.ts'

const identity = { accountId: '111122223333', accessKeyId: 'A', tags: new Map(), session: undefined }
const session = {
  issuedAt: new Date(0),
  expiresAt: new Date(0),
  mfaAuthenticatedAt: undefined,
  policies: undefined,
  sourceIdentity: undefined,
  transitiveTagKeys: [],
}
const alice: Principal = { ...identity, type: 'IAMUser', arn: 'a', principalId: 'AIDA1', userName: 'alice' }
const bob: Principal = { ...identity, type: 'IAMUser', arn: 'b', principalId: 'AIDA2', userName: 'bob' }
const inRole = (sessionName: string): Principal => ({
  ...identity,
  type: 'AssumedRole',
  arn: `r/${sessionName}`,
  principalId: `AROA1:${sessionName}`,
  role: { arn: 'r', roleId: 'AROA1', roleName: 'r' },
  sessionName,
  session,
})

function quotasAt(text: string): {
  quotas: Quotas
  clock: { now: number }
  passes: (n: number, who: Principal, what?: string) => number
} {
  const rules = parseQuotas(text)
  assert.ok(rules)
  const clock = { now: 1000 }
  const quotas = new Quotas(rules, () => clock.now)
  return {
    quotas,
    clock,
    passes(n, who, what = 'Decrypt') {
      let passed = 0
      for (let i = 0; i < n; i++) {
        try {
          quotas.take(who, what)
          passed++
        } catch (error) {
          assert.ok(error instanceof Error && 'exceptionName' in error)
          assert.equal(error.exceptionName, 'ThrottlingException')
        }
      }
      return passed
    },
  }
}

describe('quotas', () => {
  test('let so many requests of one principal through in a second, and no more', () => {
    const { clock, passes } = quotasAt('*=5')
    assert.equal(passes(8, alice), 5)
    assert.equal(passes(8, bob), 5)
    clock.now += 400
    assert.equal(passes(8, alice), 2)
    clock.now += 3_600_000
    assert.equal(passes(8, alice), 5)
  })

  test('hold an operation to its own number, which counts for the whole too', () => {
    const { passes } = quotasAt('*=5, CreateKey=2')
    assert.equal(passes(4, alice, 'CreateKey'), 2)
    assert.equal(passes(8, alice, 'Decrypt'), 3)
    const other = quotasAt('CreateKey=2')
    assert.equal(other.passes(1000, alice, 'Decrypt'), 1000)
    assert.equal(other.passes(3, alice, 'CreateKey'), 2)
  })

  test('count all sessions of a role together', () => {
    const { passes } = quotasAt('*=5')
    assert.equal(passes(3, inRole('one')), 3)
    assert.equal(passes(3, inRole('two')), 2)
  })

  test('keep no more than they need', () => {
    const { clock, passes, quotas } = quotasAt('*=1')
    for (let n = 0; n < 30_000; n++) {
      clock.now += 1
      assert.equal(passes(1, { ...bob, principalId: `AIDA${n}` }), 1)
    }
    assert.ok(quotas.size <= 11_000, String(quotas.size))
  })

  test('are read from text', () => {
    assert.equal(parseQuotas(''), undefined)
    assert.deepEqual(parseQuotas(' *=10 ,CreateKey = 5'), {
      all: 10,
      perOperation: new Map([['CreateKey', 5]]),
    })
    for (const text of ['5', '*=0', '*=-1', '*=1.5', 'a=1', '*=1,*=2', 'Create Key=1', '*=12345678'])
      assert.throws(() => parseQuotas(text), /REQUESTS-PER-SECOND/, text)
  })
})
