import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { allow, decision, deny, keyPolicy, outcome } from '../../../test/support/policies.ts'
import {
  accountId,
  alice,
  aliceArn,
  bob,
  bobArn,
  deployArn,
  deploySessionArn,
  nightly,
  root,
  rootArn,
} from '../../../test/support/principals.ts'
import type { Principal } from '../principal.ts'
import { bindPrincipals } from './bound-principals.ts'

describe('the principals of a key policy', () => {
  const table: [statements: object[], ofRoot: string, ofAlice: string, ofNightly: string][] = [
    [
      [allow('*')],
      'allowed: resource-based statement 1',
      'allowed: resource-based statement 1',
      'allowed: resource-based statement 1',
    ],
    [
      [allow({ AWS: '*' })],
      'allowed: resource-based statement 1',
      'allowed: resource-based statement 1',
      'allowed: resource-based statement 1',
    ],
    [
      [allow({ AWS: rootArn })],
      'allowed: resource-based statement 1',
      'no identity-based',
      'no identity-based',
    ],
    [
      [allow({ AWS: accountId })],
      'allowed: resource-based statement 1',
      'no identity-based',
      'no identity-based',
    ],
    [
      [allow({ AWS: aliceArn })],
      'no resource-based',
      'allowed: resource-based statement 1',
      'no resource-based',
    ],
    [
      [allow({ AWS: [rootArn, aliceArn] })],
      'allowed: resource-based statement 1',
      'allowed: resource-based statement 1',
      'no identity-based',
    ],
    [
      [allow({ AWS: deployArn })],
      'no resource-based',
      'no resource-based',
      'allowed: resource-based statement 1',
    ],
    [
      [allow({ AWS: deploySessionArn })],
      'no resource-based',
      'no resource-based',
      'allowed: resource-based statement 1',
    ],
    [[allow({ AWS: `${deploySessionArn}x` })], 'no resource-based', 'no resource-based', 'no resource-based'],
    [[allow({ AWS: `${aliceArn}x` })], 'no resource-based', 'no resource-based', 'no resource-based'],
    [[allow({ AWS: bobArn })], 'no resource-based', 'no resource-based', 'no resource-based'],
    [
      [allow({ AWS: 'arn:aws:iam::444455556666:root' })],
      'no resource-based',
      'no resource-based',
      'no resource-based',
    ],
    [
      [allow({ Service: 'logs.us-east-1.amazonaws.com' })],
      'no resource-based',
      'no resource-based',
      'no resource-based',
    ],
    [
      [allow({ Service: 'logs.us-east-1.amazonaws.com', AWS: aliceArn })],
      'no resource-based',
      'allowed: resource-based statement 1',
      'no resource-based',
    ],
    [
      [allow('*', { Sid: 'All' }), deny({ AWS: aliceArn }, { Sid: 'NotAlice' })],
      'allowed: resource-based All',
      'denied: resource-based NotAlice',
      'allowed: resource-based All',
    ],
    [
      [allow('*'), deny({ AWS: rootArn })],
      'denied: resource-based statement 2',
      'denied: resource-based statement 2',
      'denied: resource-based statement 2',
    ],
    [
      [allow('*'), deny({ AWS: deployArn })],
      'allowed: resource-based statement 1',
      'allowed: resource-based statement 1',
      'denied: resource-based statement 2',
    ],
    [
      [allow('*'), deny({ AWS: deploySessionArn })],
      'allowed: resource-based statement 1',
      'allowed: resource-based statement 1',
      'denied: resource-based statement 2',
    ],
    [
      [allow('*'), deny({ Service: 'logs.us-east-1.amazonaws.com' })],
      'allowed: resource-based statement 1',
      'allowed: resource-based statement 1',
      'allowed: resource-based statement 1',
    ],
    [
      [allow('*'), deny('*')],
      'denied: resource-based statement 2',
      'denied: resource-based statement 2',
      'denied: resource-based statement 2',
    ],
  ]
  for (const [statements, ofRoot, ofAlice, ofNightly] of table) {
    test(JSON.stringify(statements), () => {
      const resource = keyPolicy(...statements)
      assert.equal(outcome(root, { resource }), ofRoot)
      assert.equal(outcome(alice, { resource }), ofAlice)
      assert.equal(outcome(nightly, { resource }), ofNightly)
    })
  }
  test('are all tried', () => {
    assert.equal(table.length, 20)
  })
})

test('a policy means who had the name when it was put', () => {
  const policy = keyPolicy(
    allow({ AWS: aliceArn }),
    allow({ AWS: deployArn }, { Action: 'kms:Encrypt' }),
    allow({ AWS: deploySessionArn }, { Action: 'kms:DescribeKey' }),
  )
  const may = (principal: Principal, action: string, ids: Record<string, string>): boolean => {
    const document = bindPrincipals(policy.document, new Map(Object.entries(ids)))
    return decision(principal, { resource: { ...policy, document }, question: { action } }).allowed
  }
  const ids = {
    [aliceArn]: 'AIDAALICE',
    [deployArn]: 'AROADEPLOY',
    [deploySessionArn]: 'AROADEPLOY:nightly',
  }
  assert.equal(may(alice, 'kms:Decrypt', ids), true)
  assert.equal(may({ ...alice, principalId: 'AIDALATER' }, 'kms:Decrypt', ids), false)
  assert.equal(may(nightly, 'kms:Encrypt', ids), true)
  assert.equal(may(nightly, 'kms:DescribeKey', ids), true)
  const later = {
    ...nightly,
    principalId: 'AROALATER:nightly',
    role: { ...nightly.role, roleId: 'AROALATER' },
  }
  assert.equal(may(later, 'kms:Encrypt', ids), false)
  assert.equal(may(later, 'kms:DescribeKey', ids), false)
  // Whoever was renamed is the same, and another with the old name is not.
  assert.equal(may({ ...bob, principalId: 'AIDAALICE' }, 'kms:Decrypt', ids), true)
  // A name whose id was not kept means nobody.
  assert.equal(may(alice, 'kms:Decrypt', {}), false)
})
