import assert from 'node:assert/strict'
import { test } from 'node:test'
import { covers, type GrantConstraints, type GrantTerms, type NewGrant } from './grant.ts'

type Pairs = Record<string, string>

const pairs = (given: Pairs): ReadonlyMap<string, string> => new Map(Object.entries(given))
const equals = (given: Pairs): GrantConstraints => ({ encryptionContextEquals: pairs(given) })
const subset = (given: Pairs): GrantConstraints => ({ encryptionContextSubset: pairs(given) })
const terms = (constraints: GrantConstraints | undefined, ...operations: string[]): GrantTerms => ({
  operations,
  constraints,
})

function coversDecrypt(constraints: GrantConstraints | undefined, context: Pairs | undefined): boolean {
  return covers(terms(constraints, 'Decrypt', 'DescribeKey'), {
    action: 'kms:Decrypt',
    encryptionContext: context === undefined ? undefined : pairs(context),
    newGrant: undefined,
  })
}

test('a grant is for the operations that it names', () => {
  const given = terms(undefined, 'Decrypt', 'ReEncryptFrom')
  const table = {
    'kms:Decrypt': true,
    'kms:ReEncryptFrom': true,
    'kms:ReEncryptTo': false,
    'kms:Encrypt': false,
  }
  for (const [action, expected] of Object.entries(table)) {
    assert.equal(
      covers(given, { action, encryptionContext: undefined, newGrant: undefined }),
      expected,
      action,
    )
  }
})

test('constraints on the encryption context', () => {
  const table: [GrantConstraints | undefined, context: Pairs | undefined, boolean][] = [
    [undefined, undefined, true],
    [undefined, { a: '1' }, true],
    [equals({ a: '1' }), { a: '1' }, true],
    [equals({ a: '1' }), { a: '1', b: '2' }, false],
    [equals({ a: '1' }), { a: '2' }, false],
    [equals({ a: '1' }), { b: '1' }, false],
    [equals({ a: '1' }), {}, false],
    [equals({ a: '1' }), undefined, false],
    [equals({ a: '1', b: '2' }), { a: '1' }, false],
    [equals({ a: '1', b: '2' }), { b: '2', a: '1' }, true],
    // Names are the same in any case, values are not.
    [equals({ App: 'x' }), { aPP: 'x' }, true],
    [equals({ App: 'x' }), { App: 'X' }, false],
    [subset({ a: '1' }), { a: '1' }, true],
    [subset({ a: '1' }), { a: '1', b: '2' }, true],
    [subset({ a: '1' }), { a: '2', b: '1' }, false],
    [subset({ a: '1', b: '2' }), { a: '1' }, false],
    [subset({ a: '1' }), {}, false],
    [subset({ a: '1' }), undefined, false],
    [subset({ A: '1' }), { a: '1', c: '3' }, true],
    // Two pairs that differ in case alone have no one value.
    [subset({ a: '1' }), { a: '1', A: '2' }, false],
    [subset({ a: '1' }), { a: '1', A: '1' }, false],
    [equals({ a: '1', A: '1' }), { a: '1', b: '1' }, false],
    [equals({ a: '1', A: '1' }), { a: '1', A: '1' }, false],
    [{ ...equals({ a: '1' }), ...subset({ b: '1' }) }, { a: '1' }, false],
  ]
  for (const [constraints, context, expected] of table) {
    assert.equal(coversDecrypt(constraints, context), expected, JSON.stringify([constraints, context]))
  }
  assert.equal(table.length, 24)
})

test('constraints are for operations with an encryption context alone', () => {
  const asked = { encryptionContext: undefined, newGrant: undefined }
  const table = {
    Encrypt: false,
    Decrypt: false,
    ReEncryptFrom: false,
    ReEncryptTo: false,
    GenerateDataKey: false,
    GenerateDataKeyWithoutPlaintext: false,
    DescribeKey: true,
    RetireGrant: true,
  }
  for (const [operation, expected] of Object.entries(table)) {
    const given = terms(equals({ a: '1' }), operation)
    assert.equal(covers(given, { ...asked, action: `kms:${operation}` }), expected, operation)
  }
})

test('by a grant no more can be granted than it gives', () => {
  const table: [outer: GrantTerms, inner: NewGrant | undefined, boolean][] = [
    [terms(undefined, 'CreateGrant', 'Decrypt'), terms(undefined, 'Decrypt'), true],
    [terms(undefined, 'CreateGrant', 'Decrypt'), terms(undefined, 'Decrypt', 'CreateGrant'), true],
    [terms(undefined, 'CreateGrant', 'Decrypt'), terms(undefined, 'Decrypt', 'Encrypt'), false],
    [terms(undefined, 'Decrypt'), terms(undefined, 'Decrypt'), false],
    [terms(undefined, 'Decrypt'), 'any', false],
    [terms(equals({ a: '1' }), 'CreateGrant', 'Decrypt'), 'any', true],
    [terms(undefined, 'CreateGrant', 'Decrypt'), undefined, false],
    [terms(undefined, 'CreateGrant', 'Decrypt'), terms(equals({ a: '1' }), 'Decrypt'), true],
    [terms(equals({ a: '1' }), 'CreateGrant', 'Decrypt'), terms(undefined, 'Decrypt'), false],
    [terms(equals({ a: '1' }), 'CreateGrant', 'Decrypt'), terms(equals({ a: '1' }), 'Decrypt'), true],
    [
      terms(equals({ a: '1' }), 'CreateGrant', 'Decrypt'),
      terms(equals({ a: '1', b: '2' }), 'Decrypt'),
      false,
    ],
    [terms(equals({ a: '1' }), 'CreateGrant', 'Decrypt'), terms(subset({ a: '1' }), 'Decrypt'), false],
    [terms(subset({ a: '1' }), 'CreateGrant', 'Decrypt'), terms(undefined, 'Decrypt'), false],
    [terms(subset({ a: '1' }), 'CreateGrant', 'Decrypt'), terms(subset({ a: '1' }), 'Decrypt'), true],
    [terms(subset({ a: '1' }), 'CreateGrant', 'Decrypt'), terms(subset({ a: '1', b: '2' }), 'Decrypt'), true],
    [terms(subset({ a: '1' }), 'CreateGrant', 'Decrypt'), terms(subset({ b: '2' }), 'Decrypt'), false],
    [terms(subset({ a: '1' }), 'CreateGrant', 'Decrypt'), terms(equals({ a: '1', b: '2' }), 'Decrypt'), true],
    [terms(subset({ a: '1' }), 'CreateGrant', 'Decrypt'), terms(equals({ a: '2' }), 'Decrypt'), false],
  ]
  for (const [outer, newGrant, expected] of table) {
    const asked = { action: 'kms:CreateGrant', encryptionContext: undefined, newGrant }
    assert.equal(covers(outer, asked), expected, JSON.stringify([outer, newGrant]))
  }
  assert.equal(table.length, 18)
})

test('however many grants a context is held against, it is read once', () => {
  let read = 0
  class Counted extends Map<string, string> {
    override [Symbol.iterator]() {
      read++
      return super[Symbol.iterator]()
    }
  }
  const encryptionContext = new Counted(Object.entries({ a: '1', b: '2' }))
  for (let n = 0; n < 100; n++) {
    for (const constraints of [subset({ a: `${n}x` }), equals({ a: '1', b: `${n}x` }), equals({ a: '1' })]) {
      const question = { action: 'kms:Decrypt', encryptionContext, newGrant: undefined }
      assert.equal(covers(terms(constraints, 'Decrypt'), question), false)
    }
  }
  assert.equal(read, 1)
})
