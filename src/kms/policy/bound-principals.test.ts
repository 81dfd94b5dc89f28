import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aliceArn, bobArn, deployArn, deploySessionArn, rootArn } from '../../../test/support/principals.ts'
import { findPrincipals, type PrincipalLookup, shownPolicy } from './bound-principals.ts'
import { parseKeyPolicy } from './document.ts'

function lookup(known: Record<string, string>): PrincipalLookup {
  return {
    withArn: (arn) => known[arn],
    roleNamed: (name) => (name === 'deploy' ? known[deployArn] : undefined),
    arnOfUser: (id) => Object.entries(known).find(([, knownId]) => knownId === id)?.[0],
  }
}

const everybody = { [aliceArn]: 'AIDAALICE', [bobArn]: 'AIDABOB', [deployArn]: 'AROADEPLOY' }

const policy = JSON.stringify({
  Version: '2012-10-17',
  Id: 'mine',
  Statement: [
    { Sid: 'a', Effect: 'Allow', Principal: { AWS: [rootArn, aliceArn] }, Action: 'kms:*', Resource: '*' },
    {
      Effect: 'Deny',
      Principal: { AWS: deploySessionArn, Service: 'logs.us-east-1.amazonaws.com' },
      Action: 'kms:Encrypt',
      Resource: '*',
      Condition: { StringEquals: { 'aws:PrincipalArn': aliceArn } },
    },
    { Effect: 'Allow', Principal: '*', Action: 'kms:Decrypt', Resource: '*' },
  ],
})

test('finds whom a policy means', () => {
  const { ids, missing } = findPrincipals(parseKeyPolicy(policy), lookup(everybody))
  assert.deepEqual(
    ids,
    new Map([
      [aliceArn, 'AIDAALICE'],
      [deploySessionArn, 'AROADEPLOY:nightly'],
    ]),
  )
  assert.deepEqual(missing, [])
})

test('says which names nobody has', () => {
  const { ids, missing } = findPrincipals(parseKeyPolicy(policy), lookup({ [aliceArn]: 'AIDAALICE' }))
  assert.deepEqual(ids, new Map([[aliceArn, 'AIDAALICE']]))
  assert.deepEqual(missing, [deploySessionArn])
})

test('shows whoever is gone, or is someone else now, by the unique id', () => {
  const ids = new Map([
    [aliceArn, 'AIDAALICE'],
    [deploySessionArn, 'AROADEPLOY:nightly'],
  ])
  assert.equal(shownPolicy(policy, ids, lookup(everybody)), policy)
  const aliceIsGone = shownPolicy(policy, ids, lookup({ [deployArn]: 'AROADEPLOY' }))
  const expected = policy.replace(`"${aliceArn}"]`, '"AIDAALICE"]')
  assert.notEqual(expected, policy)
  assert.deepEqual(JSON.parse(aliceIsGone), JSON.parse(expected))
  const bothAreOthers = shownPolicy(
    policy,
    ids,
    lookup({ [aliceArn]: 'AIDALATER', [deployArn]: 'AROALATER' }),
  )
  assert.match(bothAreOthers, /"AWS": "AROADEPLOY:nightly"/)
  assert.match(bothAreOthers, /"AIDAALICE"/)
  assert.match(bothAreOthers, /"aws:PrincipalArn": "arn:aws:iam::111122223333:user\/alice"/)
})

test('shows a user who was renamed by the new name', () => {
  const ids = new Map([[aliceArn, 'AIDAALICE']])
  const renamed = shownPolicy(policy, ids, lookup({ [bobArn]: 'AIDAALICE', [aliceArn]: 'AIDALATER' }))
  assert.deepEqual(JSON.parse(renamed), JSON.parse(policy.replace(`"${aliceArn}"]`, `"${bobArn}"]`)))
})

test('a policy of a single statement, or of one principal, is shown so too', () => {
  const ids = new Map([[aliceArn, 'AIDAALICE']])
  const single = { Statement: { Effect: 'Allow', Principal: { AWS: aliceArn }, Action: '*', Resource: '*' } }
  assert.deepEqual(JSON.parse(shownPolicy(JSON.stringify(single), ids, lookup({}))), {
    Statement: { Effect: 'Allow', Principal: { AWS: 'AIDAALICE' }, Action: '*', Resource: '*' },
  })
})
