import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { maxKeyId, maxVersion } from './data-key.ts'
import { keyFileName, parseKeyFileName } from './wrapped-key.ts'

test('a file name is read back as the key that it names', () => {
  const names = fc.record(
    { keyId: fc.integer({ min: 1, max: maxKeyId }), version: fc.integer({ min: 1, max: maxVersion }) },
    { noNullPrototype: true },
  )
  fc.assert(
    fc.property(names, (name) => {
      assert.deepEqual(parseKeyFileName(keyFileName(name)), name)
    }),
  )
})

test('the edges of ids and versions', () => {
  for (const [name, isKey] of [
    ['aws-kms-key.0.1', false],
    ['aws-kms-key.1.0', false],
    ['aws-kms-key.1.1', true],
    ['aws-kms-key.99999.10', true],
    ['aws-kms-key.100000.1', true],
    ['aws-kms-key.4294967295.4294967293', true],
    ['aws-kms-key.4294967296.1', false],
    ['aws-kms-key.1.4294967294', false],
    ['aws-kms-key.1.1 ', false],
    ['aws-kms-key.1.01', false],
    ['aws-kms-key.keyring.json', false],
    ['xaws-kms-key.1.1', false],
  ] as const) {
    assert.equal(parseKeyFileName(name) !== undefined, isKey, name)
  }
})
