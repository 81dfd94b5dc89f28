import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allow, decision, deny, keyPolicy } from '../../../test/support/policies.ts'
import { alice, testKeyArn } from '../../../test/support/principals.ts'

test('actions and resources', () => {
  const table: [object, allowed: boolean][] = [
    [{ Action: 'kms:decrypt' }, true],
    [{ Action: 'KMS:Decrypt' }, true],
    [{ Action: 'kms:*' }, true],
    [{ Action: '*' }, true],
    [{ Action: 'kms:De*' }, true],
    [{ Action: 'kms:Decryp?' }, true],
    [{ Action: ['kms:Encrypt', 'kms:Decrypt'] }, true],
    [{ Action: 'kms:Encrypt' }, false],
    [{ Action: 'kms:Decryp' }, false],
    [{ Action: undefined, NotAction: 'kms:Encrypt' }, true],
    [{ Action: undefined, NotAction: 'kms:De*' }, false],
    [{ Resource: testKeyArn }, true],
    [{ Resource: 'arn:aws:kms:*:*:key/*' }, true],
    [{ Resource: `${testKeyArn}0` }, false],
    [{ Resource: testKeyArn.toUpperCase().replace('ARN', 'arn') }, false],
    [{ Resource: undefined, NotResource: testKeyArn }, false],
    [{ Resource: undefined, NotResource: `${testKeyArn}0` }, true],
  ]
  for (const [more, allowed] of table) {
    const resource = keyPolicy(allow('*', more))
    assert.equal(decision(alice, { resource }).allowed, allowed, JSON.stringify(more))
    const denying = keyPolicy(allow('*'), deny('*', more))
    assert.equal(decision(alice, { resource: denying }).allowed, !allowed, JSON.stringify(more))
  }
  assert.equal(table.length, 17)
})
