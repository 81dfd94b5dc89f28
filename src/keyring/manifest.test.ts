import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { maxKeyId, maxVersion } from './data-key.ts'
import {
  contextFor,
  fingerprint,
  newManifest,
  parseManifest,
  serialiseManifest,
  withIssued,
} from './manifest.ts'

const entries = fc.uniqueArray(
  fc.record(
    {
      keyId: fc.integer({ min: 1, max: maxKeyId }),
      version: fc.integer({ min: 1, max: maxVersion }),
      masterKey: fc.string(),
      sha256: fc.uint8Array().map((bytes) => fingerprint(Buffer.from(bytes))),
    },
    { requiredKeys: ['keyId', 'version'], noNullPrototype: true },
  ),
  { selector: ({ keyId, version }) => `${keyId}.${version}` },
)

test('what is written is read back', () => {
  fc.assert(
    fc.property(entries, fc.constantFrom('bound' as const, 'none' as const), (keys, binding) => {
      const manifest = withIssued(newManifest(binding), keys)
      assert.deepEqual(parseManifest(serialiseManifest(manifest), 'it'), manifest)
    }),
  )
})

test('an entry takes the place of the former one of that name, and the order is that of ids and versions', () => {
  const before = withIssued(newManifest('bound'), [
    { keyId: 2, version: 10 },
    { keyId: 2, version: 9 },
    { keyId: 1, version: 1 },
  ])
  const { keys } = withIssued(before, [{ keyId: 2, version: 9, masterKey: 'arn' }])
  assert.deepEqual(keys, [
    { keyId: 1, version: 1 },
    { keyId: 2, version: 9, masterKey: 'arn' },
    { keyId: 2, version: 10 },
  ])
})

test('the encryption context names keyring, key id and version; a keyring that is not bound has none', () => {
  const manifest = newManifest('bound')
  assert.deepEqual(contextFor(manifest, { keyId: 3, version: 12 }), {
    'strongroom-keyring': manifest.id,
    'strongroom-key-id': '3',
    'strongroom-key-version': '12',
  })
  assert.equal(contextFor(newManifest('none'), { keyId: 3, version: 12 }), undefined)
  assert.notEqual(newManifest('bound').id, manifest.id)
})

const good = newManifest('bound')
const faults: Record<string, string> = {
  'not JSON': '{',
  'cut short': serialiseManifest(good).slice(0, -3),
  'another format': JSON.stringify({ ...good, format: 'strongroom-keyring/2' }),
  'no id': JSON.stringify({ ...good, id: undefined }),
  'a key id out of range': JSON.stringify({ ...good, keys: [{ keyId: 4294967296, version: 1 }] }),
  'version 0': JSON.stringify({ ...good, keys: [{ keyId: 1, version: 0 }] }),
  'a member that is not known': JSON.stringify({ ...good, plaintext: 'no' }),
  'a version listed twice': JSON.stringify({
    ...good,
    keys: [
      { keyId: 1, version: 1 },
      { keyId: 1, version: 1 },
    ],
  }),
}

for (const [what, text] of Object.entries(faults)) {
  test(`a manifest with a fault is refused, naming the file: ${what}`, () => {
    assert.throws(() => parseManifest(text, '/data/manifest'), {
      code: 'SR_MANIFEST_INVALID',
      message: /^cannot read the manifest \/data\/manifest: /,
    })
  })
}
