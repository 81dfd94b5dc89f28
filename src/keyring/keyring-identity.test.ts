import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { FakeMasterKey } from '../../test/support/fake-master-key.ts'
import { openKeyring } from '../../test/support/keyring.ts'
import { scratchDirectory } from '../../test/support/scratch.ts'
import { until } from '../../test/support/until.ts'
import type { DataKey } from './data-key.ts'
import { manifestFileName, parseManifest, serialiseManifest } from './manifest.ts'
import { encryptionContextOf } from './wrapped-key.ts'

function hex(key: DataKey | undefined): string | undefined {
  return key?.lend((bytes) => bytes.toString('hex'))
}

test('a keyring that begins without encryption context stays so, and what its manifest says wins', async (t) => {
  const directory = scratchDirectory(t)
  const masterKey = new FakeMasterKey()
  const { keyring, log } = await openKeyring(t, directory, masterKey, { encryptionContext: 'none' })
  const key = await keyring.obtainLatest(1)
  const ciphertext = await readFile(join(directory, 'aws-kms-key.1.1'))
  const { plaintext } = await masterKey.unwrap(ciphertext, undefined, undefined)
  assert.equal(Buffer.from(plaintext).toString('hex'), hex(key))
  const manifest = parseManifest(await readFile(join(directory, manifestFileName), 'utf8'), 'manifest')
  assert.equal(manifest.encryptionContext, 'none')
  assert.deepEqual(log.messages('warn'), [])
  await keyring.close()

  const again = await openKeyring(t, directory, masterKey, { encryptionContext: 'bound' })
  await again.keyring.rotate(1)
  await masterKey.unwrap(await readFile(join(directory, 'aws-kms-key.1.2')), undefined, undefined)
  assert.deepEqual(again.log.messages('warn'), [
    `encryption-context = bound is only for a new keyring: the manifest in ${directory} says none, and that stays`,
  ])
  await again.keyring.close()
  const unsaid = await openKeyring(t, directory, masterKey)
  assert.deepEqual(unsaid.log.messages('warn'), [])
})

const keyringId = '00112233445566778899aabbccddeeff'

test('a new keyring gets the configured id, and a manifest with another one is refused', async (t) => {
  const directory = scratchDirectory(t)
  const masterKey = new FakeMasterKey()
  const { keyring } = await openKeyring(t, directory, masterKey, { keyringId })
  await keyring.obtainLatest(1)
  assert.equal(keyring.id, keyringId)
  const ciphertext = await readFile(join(directory, 'aws-kms-key.1.1'))
  await masterKey.unwrap(ciphertext, encryptionContextOf(keyringId, { keyId: 1, version: 1 }), undefined)
  await keyring.close()

  const same = await openKeyring(t, directory, masterKey, { keyringId })
  assert.ok(same.keyring.latest(1))
  await same.keyring.close()

  const { keyring: refused, log } = await openKeyring(t, directory, masterKey, { keyringId: 'f'.repeat(32) })
  assert.equal(refused.isReady, false)
  await assert.rejects(refused.obtainLatest(1), { code: 'SR_KEYRING_ID_DIFFERS' })
  await assert.rejects(refused.create(2), { code: 'SR_KEYRING_ID_DIFFERS' })
  assert.equal((await refused.examine()).problem?.code, 'SR_KEYRING_ID_DIFFERS')
  assert.ok(log.messages('error').some((message) => message.includes(`has the id ${keyringId}, not`)))
  assert.deepEqual((await readdir(directory)).sort(), ['aws-kms-key.1.1', manifestFileName])
})

test('K3: held keys are served on when a keyring of another id than the configured one is put there', async (t) => {
  const directory = scratchDirectory(t)
  const { keyring } = await openKeyring(t, directory, new FakeMasterKey(), { keyringId })
  const key = await keyring.obtainLatest(1)
  const path = join(directory, manifestFileName)
  const manifest = parseManifest(await readFile(path, 'utf8'), 'manifest')
  await writeFile(path, serialiseManifest({ ...manifest, id: 'e'.repeat(32) }))
  await until('it is noticed', () => keyring.troubles.length > 0)
  assert.equal(keyring.troubles[0]?.code, 'SR_KEYRING_ID_DIFFERS')
  assert.equal(keyring.latest(1), key)
  await writeFile(path, serialiseManifest(manifest))
  await until('it is right again', () => keyring.troubles.length === 0)
})

test('keys of the old plugin are adopted under the configured id', async (t) => {
  const directory = scratchDirectory(t)
  const masterKey = new FakeMasterKey()
  await writeFile(join(directory, 'aws-kms-key.1.1'), masterKey.wrap(randomBytes(32)))
  const { keyring } = await openKeyring(t, directory, masterKey, { keyringId })
  assert.ok(keyring.latest(1))
  assert.equal(keyring.id, keyringId)
})
