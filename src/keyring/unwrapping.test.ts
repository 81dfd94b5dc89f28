import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { FakeMasterKey } from '../../test/support/fake-master-key.ts'
import { newManifest } from './manifest.ts'
import { DirectoryStore } from './stores/directory.ts'
import { unwrapAll } from './unwrapping.ts'

const store = new DirectoryStore('/data')
const manifest = newManifest('none')

function storedKeys(masterKey: FakeMasterKey, lengths: readonly number[], masterKeyArn?: string) {
  return lengths.map((length, index) => ({
    keyId: 1,
    version: index + 1,
    ciphertext: masterKey.wrap(randomBytes(length)),
    issued:
      masterKeyArn === undefined ? undefined : { keyId: 1, version: index + 1, masterKey: masterKeyArn },
  }))
}

for (const { fault, arn, calls } of [
  { fault: 'SR_KMS_UNREACHABLE', arn: undefined, calls: 32 },
  { fault: 'SR_KMS_CREDENTIALS', arn: undefined, calls: 32 },
  { fault: 'SR_KMS_REGION_UNKNOWN', arn: undefined, calls: 32 },
  { fault: 'SR_KMS_FAILED', arn: undefined, calls: 32 },
  { fault: 'SR_MASTER_KEY_DISABLED', arn: 'arn:aws:kms:us-east-1:111122223333:key/example', calls: 32 },
  { fault: 'SR_KMS_ACCESS_DENIED', arn: undefined, calls: 500 },
  { fault: 'SR_KMS_ACCESS_DENIED', arn: 'arn:aws:kms:us-east-1:111122223333:key/example', calls: 500 },
] as const) {
  const whose = arn === undefined ? 'keys of unknown master keys' : 'the other keys of that master key'
  test(`K4: after ${fault}, ${whose} ${calls === 500 ? 'are still tried' : 'wait without a call'}`, async () => {
    const masterKey = new FakeMasterKey()
    masterKey.fault = fault
    const lengths = Array.from({ length: 500 }, () => 32)
    const { unwrapped, troubles } = await unwrapAll(storedKeys(masterKey, lengths, arn), manifest, {
      store,
      masterKey,
    })
    assert.equal(unwrapped.length, 0)
    assert.equal(troubles.length, 500)
    // What was under way when it became clear is not called back.
    assert.ok(masterKey.unwraps >= calls && masterKey.unwraps <= calls + 3, String(masterKey.unwraps))
  })
}

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
