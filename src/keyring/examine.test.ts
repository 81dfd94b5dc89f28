import assert from 'node:assert/strict'
import { copyFile, readdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { FakeMasterKey } from '../../test/support/fake-master-key.ts'
import { openKeyring } from '../../test/support/keyring.ts'
import { scratchDirectory } from '../../test/support/scratch.ts'
import { until } from '../../test/support/until.ts'
import { examine } from './examine.ts'
import { manifestFileName } from './manifest.ts'
import { DirectoryStore } from './stores/directory.ts'

async function usedKeyring(t: TestContext) {
  const directory = scratchDirectory(t)
  const masterKey = new FakeMasterKey()
  const { keyring } = await openKeyring(t, directory, masterKey)
  await keyring.obtainLatest(1)
  await keyring.obtainLatest(2)
  await keyring.rotate(1)
  return { directory, masterKey, keyring, file: (name: string) => join(directory, `aws-kms-key.${name}`) }
}

test('every file is tried, also those that are held, and nothing is changed', async (t) => {
  const { directory, masterKey, keyring } = await usedKeyring(t)
  const state = async () => [await readdir(directory), (await stat(directory)).mtimeMs]
  const before = await state()
  const { unwraps, wraps } = masterKey
  const { keys, keyringId } = await keyring.examine()
  assert.deepEqual([masterKey.unwraps - unwraps, masterKey.wraps - wraps], [3, 0])
  assert.deepEqual(await state(), before)
  assert.match(keyringId ?? '', /^[0-9a-f]{32}$/)
  assert.deepEqual(
    keys.map(({ keyId, version, inMemory, isStray, problem }) => [
      keyId,
      version,
      inMemory,
      isStray,
      problem,
    ]),
    [
      [1, 1, 'same', false, undefined],
      [1, 2, 'same', false, undefined],
      [2, 1, 'same', false, undefined],
    ],
  )
  assert.ok(keyring.isReady)
})

test('missing, altered, swapped and stray files, each with its reason', async (t) => {
  const { directory, masterKey, file } = await usedKeyring(t)
  await rm(file('1.1'))
  await truncate(file('1.2'), 3)
  await copyFile(file('2.1'), file('7.1'))
  const store = new DirectoryStore(directory)
  const { keys } = await examine({ store, masterKey }, undefined)
  assert.deepEqual(
    keys.map(({ keyId, version, isStray, problem, inMemory }) => [
      `${keyId}.${version}`,
      isStray,
      problem?.code,
      inMemory,
    ]),
    [
      ['1.1', false, 'SR_KEY_FILE_MISSING', undefined],
      ['1.2', false, 'SR_KEY_FILE_ALTERED', undefined],
      ['2.1', false, undefined, undefined],
      ['7.1', true, 'SR_UNWRAP_REFUSED', undefined],
    ],
  )
})

test('bound files that were swapped are refused', async (t) => {
  const { keyring, file, directory } = await usedKeyring(t)
  await rename(file('1.1'), join(directory, 'x'))
  await rename(file('1.2'), file('1.1'))
  await rename(join(directory, 'x'), file('1.2'))
  const manifest = await readFile(join(directory, manifestFileName), 'utf8')
  await writeFile(join(directory, manifestFileName), manifest.replace(/"keys": \[[^]*\]/, '"keys": []'))
  const { keys } = await keyring.examine()
  assert.deepEqual(
    keys.filter(({ keyId }) => keyId === 1).map(({ problem }) => problem?.code),
    ['SR_UNWRAP_REFUSED', 'SR_UNWRAP_REFUSED'],
  )
})

test('unbound keys that were swapped differ from those in memory', async (t) => {
  const directory = scratchDirectory(t)
  const masterKey = new FakeMasterKey()
  const { keyring } = await openKeyring(t, directory, masterKey, { encryptionContext: 'none' })
  await keyring.obtainLatest(1)
  await keyring.rotate(1)
  const [one, two] = ['1.1', '1.2'].map((name) => join(directory, `aws-kms-key.${name}`))
  await writeFile(join(directory, manifestFileName), await withoutFingerprints(directory))
  await copyFile(one ?? '', join(directory, 'kept'))
  await copyFile(two ?? '', one ?? '')
  await copyFile(join(directory, 'kept'), two ?? '')
  const { keys } = await keyring.examine()
  assert.deepEqual(
    keys.map(({ inMemory }) => inMemory),
    ['other', 'other'],
  )
})

async function withoutFingerprints(directory: string): Promise<string> {
  const text = await readFile(join(directory, manifestFileName), 'utf8')
  return text.replace(/,\s*"sha256": "[0-9a-f]{64}"/g, '')
}

test('a KMS that can not be used is asked no more than it has to be, and the others are told of', async (t) => {
  const { masterKey, keyring } = await usedKeyring(t)
  masterKey.fault = 'SR_MASTER_KEY_DISABLED'
  const { keys } = await keyring.examine()
  assert.deepEqual(
    keys.map(({ problem }) => problem?.code),
    ['SR_MASTER_KEY_DISABLED', 'SR_MASTER_KEY_DISABLED', 'SR_MASTER_KEY_DISABLED'],
  )
})

test('a store that can not be read, and a database beside a store without keys', async (t) => {
  const masterKey = new FakeMasterKey()
  const gone = await examine({ store: new DirectoryStore('/nowhere'), masterKey }, undefined)
  assert.equal(gone.problem?.code, 'SR_STORE_UNREADABLE')
  const directory = scratchDirectory(t)
  await writeFile(join(directory, 'ibdata1'), 'data')
  const bare = await examine({ store: new DirectoryStore(directory), masterKey }, undefined)
  assert.equal(bare.problem?.code, 'SR_KEYRING_MISSING')
})

test('K8: an examination holds up no key that is made, and several at once are one', async (t) => {
  const masterKey = new FakeMasterKey()
  const { keyring } = await openKeyring(t, scratchDirectory(t), masterKey)
  await keyring.obtainLatest(1)
  const { unwraps } = masterKey
  const slow = Promise.withResolvers<undefined>()
  const unwrap = masterKey.unwrap.bind(masterKey)
  t.mock.method(masterKey, 'unwrap', async (...args: Parameters<FakeMasterKey['unwrap']>) => {
    const unwrapped = await unwrap(...args)
    if (masterKey.unwraps === unwraps + 1) await slow.promise
    return unwrapped
  })
  const examinations = [keyring.examine(), keyring.examine(), keyring.examine()]
  await until('the KMS is asked', () => masterKey.unwraps === unwraps + 1)
  assert.equal((await keyring.create(2)).version, 1)
  slow.resolve(undefined)
  const found = await Promise.all(examinations)
  assert.ok(found.every((one) => one === found[0]))
  assert.deepEqual(
    found[0]?.keys.map(({ keyId, inMemory }) => [keyId, inMemory]),
    [[1, 'same']],
  )
  assert.notEqual(await keyring.examine(), found[0])
})
