import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { FakeMasterKey } from '../../test/support/fake-master-key.ts'
import { newManifest } from './manifest.ts'
import { DirectoryStore } from './stores/directory.ts'
import { unwrapAll } from './unwrapping.ts'

const store = new DirectoryStore('/data')
const manifest = newManifest('none')

function storedKeys(masterKey: FakeMasterKey, lengths: readonly number[]) {
  return lengths.map((length, index) => ({
    keyId: 1,
    version: index + 1,
    ciphertext: masterKey.wrap(randomBytes(length)),
    issued: undefined,
  }))
}

test('K4: where the KMS can not be used, the other keys of that master key wait without a call', async () => {
  const masterKey = new FakeMasterKey()
  masterKey.fault = 'SR_KMS_ACCESS_DENIED'
  const keys = storedKeys(
    masterKey,
    Array.from({ length: 500 }, () => 32),
  )
  const { unwrapped, troubles } = await unwrapAll(keys, manifest, { store, masterKey })
  assert.equal(unwrapped.length, 0)
  assert.equal(troubles.length, 500)
  assert.equal(masterKey.unwraps, 32)
})

test('a key of a wrong length is refused with its length, and keeps no other from being loaded', async () => {
  const masterKey = new FakeMasterKey()
  const keys = storedKeys(masterKey, [0, 15, 16, 17, 24, 31, 32, 33, 64])
  const { unwrapped, troubles } = await unwrapAll(keys, manifest, { store, masterKey })
  assert.deepEqual(unwrapped.map(({ key }) => key.bitLength).sort(), [128, 256])
  assert.deepEqual(troubles.map(({ error }) => /unwraps to (\d+) bytes/.exec(error.message)?.[1]).sort(), [
    '0',
    '15',
    '17',
    '24',
    '31',
    '33',
    '64',
  ])
})
