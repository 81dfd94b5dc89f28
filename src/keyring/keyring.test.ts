import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import {
  chmod,
  copyFile,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { FakeMasterKey } from '../../test/support/fake-master-key.ts'
import { openKeyring } from '../../test/support/keyring.ts'
import { scratchDirectory } from '../../test/support/scratch.ts'
import { until } from '../../test/support/until.ts'
import { parseCreationRule } from './creation-rule.ts'
import type { DataKey } from './data-key.ts'
import { fingerprint, manifestFileName, parseManifest } from './manifest.ts'
import { encryptionContextOf } from './wrapped-key.ts'

function hex(key: DataKey | undefined): string | undefined {
  return key?.lend((bytes) => bytes.toString('hex'))
}

async function usedStore(
  context: TestContext,
): Promise<{ directory: string; masterKey: FakeMasterKey; keys: string[] }> {
  const directory = scratchDirectory(context)
  const masterKey = new FakeMasterKey()
  const { keyring } = await openKeyring(context, directory, masterKey)
  const keys = [await keyring.obtainLatest(1), await keyring.obtainLatest(2), await keyring.rotate(1)]
  const bytes = keys.map((key) => hex(key) ?? '')
  await keyring.close()
  await writeFile(join(directory, 'ibdata1'), 'data')
  masterKey.wraps = 0
  masterKey.unwraps = 0
  return { directory, masterKey, keys: bytes }
}

test('K1: a key is served once its file and the manifest that lists it are there', async (t) => {
  const directory = scratchDirectory(t)
  const masterKey = new FakeMasterKey()
  const { keyring, log } = await openKeyring(t, directory, masterKey)
  assert.equal(keyring.isReady, true)

  const key = await keyring.obtainLatest(1)

  assert.equal(key?.bitLength, 256)
  const manifest = parseManifest(await readFile(join(directory, manifestFileName), 'utf8'), 'manifest')
  const ciphertext = await readFile(join(directory, 'aws-kms-key.1.1'))
  const { plaintext } = await masterKey.unwrap(
    ciphertext,
    encryptionContextOf(manifest.id, { keyId: 1, version: 1 }),
    undefined,
  )
  assert.equal(Buffer.from(plaintext).toString('hex'), hex(key))
  assert.equal(manifest.encryptionContext, 'bound')
  assert.deepEqual(
    manifest.keys.map(({ keyId, version }) => ({ keyId, version })),
    [{ keyId: 1, version: 1 }],
  )
  assert.equal((await stat(join(directory, 'aws-kms-key.1.1'))).mode & 0o777, 0o640)
  assert.deepEqual(log.messages(), [
    'AWS KMS plugin: generated encrypted datakey for key id=1, version=1',
    'AWS KMS plugin: loaded key 1, version 1, key length 256 bit',
  ])
  assert.deepEqual((await readdir(directory)).sort(), ['aws-kms-key.1.1', manifestFileName])
})

test('K1: a key that the KMS does not unwrap after it was written is not served, and is adopted later', async (t) => {
  const directory = scratchDirectory(t)
  const masterKey = new FakeMasterKey()
  const { keyring, log } = await openKeyring(t, directory, masterKey)
  const unwrap = masterKey.unwrap.bind(masterKey)
  masterKey.unwrap = async (...args) => {
    masterKey.fault = 'SR_KMS_UNREACHABLE'
    return await unwrap(...args)
  }

  await assert.rejects(keyring.obtainLatest(7), { code: 'SR_KMS_UNREACHABLE' })
  assert.equal(keyring.latest(7), undefined)
  const written = await readFile(join(directory, 'aws-kms-key.7.1'))

  masterKey.unwrap = unwrap
  masterKey.fault = undefined
  await until(
    'the key is adopted',
    async () => (await keyring.obtainLatest(7).catch(() => undefined)) !== undefined,
  )
  assert.equal(masterKey.wraps, 1)
  assert.deepEqual(await readFile(join(directory, 'aws-kms-key.7.1')), written)
  assert.equal(
    log.messages('error').filter((line) => line.startsWith('key 7, version 1 is not created')).length,
    1,
  )
})

test('K2: a file that is there already is never overwritten', async (t) => {
  const directory = scratchDirectory(t)
  const masterKey = new FakeMasterKey()
  const { keyring } = await openKeyring(t, directory, masterKey)
  await keyring.obtainLatest(1)
  await writeFile(join(directory, 'aws-kms-key.3.1'), '')

  await assert.rejects(keyring.obtainLatest(3), {
    code: 'SR_KEY_FILE_INVALID',
    message: /aws-kms-key.3.1 holds 0 bytes.*remove it/,
  })

  assert.equal((await stat(join(directory, 'aws-kms-key.3.1'))).size, 0)
  assert.equal(masterKey.wraps, 1)
})

test('K3: held keys are served while the KMS fails, the directory is unreadable or gone', async (t) => {
  const { directory, masterKey, keys } = await usedStore(t)
  const { keyring } = await openKeyring(t, directory, masterKey)
  masterKey.fault = 'SR_KMS_ACCESS_DENIED'
  await rename(directory, `${directory}-away`)
  t.after(() => rm(`${directory}-away`, { recursive: true }))

  await assert.rejects(keyring.obtainLatest(9), { code: 'SR_STORE_UNREADABLE' })
  assert.equal(hex(await keyring.obtain(1, 1)), keys[0])
  assert.equal(hex(await keyring.obtainLatest(2)), keys[1])
  assert.equal(hex(await keyring.obtainLatest(1)), keys[2])
})

test('K4: a failed unwrap is tried again, and says once what waits for what', async (t) => {
  const { directory, masterKey, keys } = await usedStore(t)
  masterKey.fault = 'SR_MASTER_KEY_DISABLED'
  const { keyring, log } = await openKeyring(t, directory, masterKey)
  assert.equal(keyring.isReady, false)
  await assert.rejects(keyring.obtain(1, 1), { code: 'SR_MASTER_KEY_DISABLED' })
  await until('it was tried three times', () => masterKey.unwraps >= 3)

  masterKey.fault = undefined
  await keyring.whenReady()

  assert.equal(hex(keyring.held(1, 1)), keys[0])
  assert.deepEqual(log.messages('error'), [
    'aws-kms-key.1.1, aws-kms-key.1.2, aws-kms-key.2.1 wait for master key arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab: the fake KMS was told to fail',
  ])
})

test('K5: fifty first requests at once make one call and one file', async (t) => {
  const directory = scratchDirectory(t)
  const masterKey = new FakeMasterKey()
  masterKey.delay = 20
  const { keyring } = await openKeyring(t, directory, masterKey)

  const answers = await Promise.all(Array.from({ length: 50 }, () => keyring.obtainLatest(5)))

  assert.equal(new Set(answers.map(hex)).size, 1)
  assert.equal(masterKey.wraps, 1)
})

test('K6: keys are zeroed when the keyring is closed', async (t) => {
  const { directory, masterKey } = await usedStore(t)
  const { keyring } = await openKeyring(t, directory, masterKey)
  const lent = keyring.held(1, 1)?.lend((bytes) => bytes)
  assert.notDeepEqual(lent, Buffer.alloc(32))

  await keyring.close()

  assert.deepEqual(lent, Buffer.alloc(32))
  await assert.rejects(keyring.obtain(1, 1), { code: 'SR_KEYRING_CLOSED' })
})

const damages: {
  what: string
  code: string
  damage: (file: string, other: string) => Promise<void>
}[] = [
  { what: 'removed', code: 'SR_KEY_FILE_MISSING', damage: (file) => rm(file) },
  { what: 'truncated to 0', code: 'SR_KEY_FILE_INVALID', damage: (file) => truncate(file, 0) },
  {
    what: 'truncated by a byte',
    code: 'SR_KEY_FILE_ALTERED',
    damage: async (file) => truncate(file, (await stat(file)).size - 1),
  },
  {
    what: 'changed in one byte',
    code: 'SR_KEY_FILE_ALTERED',
    damage: async (file) => {
      const bytes = await readFile(file)
      bytes.writeUInt8(bytes.readUInt8(20) ^ 1, 20)
      await writeFile(file, bytes)
    },
  },
  {
    what: "replaced by another's",
    code: 'SR_KEY_FILE_ALTERED',
    damage: (file, other) => copyFile(other, file),
  },
]

for (const { what, code, damage } of damages) {
  test(`K7: a key file ${what} is named, nothing is created in its place, and putting it back is enough`, async (t) => {
    const { directory, masterKey, keys } = await usedStore(t)
    const file = join(directory, 'aws-kms-key.1.2')
    const good = await readFile(file)
    await damage(file, join(directory, 'aws-kms-key.2.1'))
    const { keyring, log } = await openKeyring(t, directory, masterKey)

    assert.equal(keyring.isReady, false)
    assert.equal(hex(await keyring.obtain(1, 1)), keys[0])
    assert.equal(hex(await keyring.obtainLatest(2)), keys[1])
    await assert.rejects(keyring.obtain(1, 2), { code })
    await assert.rejects(keyring.obtainLatest(1), { code })
    await assert.rejects(keyring.obtainLatest(3), { code: 'SR_STORE_INCOMPLETE' })
    assert.equal(masterKey.wraps, 0)
    assert.ok(log.messages('error').some((line) => line.includes(file)))

    await writeFile(file, good)
    await keyring.whenReady()
    assert.equal(hex(keyring.latest(1)), keys[2])
    assert.equal(log.messages('info').at(-1), 'the keyring is whole again')
  })
}

test('K7: with all key files gone, or the manifest too, nothing is created for a directory that holds data', async (t) => {
  const { directory, masterKey } = await usedStore(t)
  for (const name of await readdir(directory))
    if (/^aws-kms-key\.\d/.test(name)) await rm(join(directory, name))
  const { keyring } = await openKeyring(t, directory, masterKey)
  await assert.rejects(keyring.obtainLatest(1), { code: 'SR_KEY_FILE_MISSING' })
  await assert.rejects(keyring.obtainLatest(9), { code: 'SR_STORE_INCOMPLETE' })

  await rm(join(directory, manifestFileName))
  const { keyring: second } = await openKeyring(t, directory, masterKey)
  await assert.rejects(second.obtainLatest(1), { code: 'SR_KEYRING_MISSING' })
  assert.equal(masterKey.wraps, 0)

  await second.create(1)
  assert.equal(second.latest(1)?.version, 1)
})

test('K7: the creation rule and a missing master key name leave an id absent', async (t) => {
  const directory = scratchDirectory(t)
  const masterKey = new FakeMasterKey()
  const { keyring, log } = await openKeyring(t, directory, masterKey, {
    creationRule: parseCreationRule('1, 5-6'),
  })
  assert.equal(await keyring.obtainLatest(2), undefined)
  assert.equal(await keyring.obtainLatest(2), undefined)
  assert.equal((await keyring.obtainLatest(6))?.version, 1)
  assert.equal(await keyring.obtain(6, 2), undefined)
  masterKey.name = undefined
  assert.equal(await keyring.obtainLatest(5), undefined)
  assert.deepEqual(log.messages('error'), [
    'key 2, version 1 is not created: create-keys in the configuration does not allow that id',
    'key 6, version 2 was never issued in this keyring: the data that asks for it is of another server, or of a state of this one whose keys are lost',
    'key 5, version 1 is not created: master-key-id in the configuration is empty',
  ])
})

test('files without a manifest are unwrapped with no context, and listed from then on', async (t) => {
  const directory = scratchDirectory(t)
  const masterKey = new FakeMasterKey()
  const plaintext = randomBytes(16)
  await writeFile(join(directory, 'ibdata1'), 'data')
  await writeFile(join(directory, 'aws-kms-key.1.1'), masterKey.wrap(plaintext))
  await writeFile(join(directory, 'aws-kms-key.1.2'), masterKey.wrap(randomBytes(16)))

  const { keyring } = await openKeyring(t, directory, masterKey)

  assert.equal(keyring.isReady, true)
  assert.equal(hex(await keyring.obtain(1, 1)), plaintext.toString('hex'))
  assert.equal(keyring.latest(1)?.version, 2)
  const manifest = parseManifest(await readFile(join(directory, manifestFileName), 'utf8'), 'manifest')
  assert.equal(manifest.encryptionContext, 'none')
  assert.equal(manifest.keys.length, 2)
  assert.equal((await keyring.rotate(1)).version, 3)
  await keyring.close()

  await rm(join(directory, 'aws-kms-key.1.1'))
  const { keyring: again } = await openKeyring(t, directory, masterKey)
  await assert.rejects(again.obtain(1, 1), { code: 'SR_KEY_FILE_MISSING' })
  assert.equal(again.latest(1)?.version, 3)
})

test('a bound keyring whose manifest is lost is not taken for one without', async (t) => {
  const { directory, masterKey } = await usedStore(t)
  await rm(join(directory, manifestFileName))
  const { keyring, log } = await openKeyring(t, directory, masterKey)
  await assert.rejects(keyring.obtainLatest(1), { code: 'SR_UNWRAP_REFUSED', message: /manifest .* is lost/ })
  await assert.rejects(keyring.obtainLatest(5), { code: 'SR_UNWRAP_REFUSED' })
  assert.equal((await readdir(directory)).includes(manifestFileName), false)
  assert.equal(log.messages('error').filter((line) => line.includes('could not be decrypted')).length, 3)
  assert.equal(
    log.messages('error').filter((line) => line.startsWith('key 5, version 1 is not created')).length,
    1,
  )
})

test('K9: a key file that appears is picked up', async (t) => {
  const { directory, masterKey } = await usedStore(t)
  const { keyring } = await openKeyring(t, directory, masterKey)
  const manifest = parseManifest(await readFile(join(directory, manifestFileName), 'utf8'), 'manifest')
  const plaintext = randomBytes(32)
  const context = encryptionContextOf(manifest.id, { keyId: 1, version: 3 })

  await writeFile(join(directory, 'aws-kms-key.1.3'), masterKey.wrap(plaintext, context))

  await until('version 3 is the latest', () => keyring.latest(1)?.version === 3)
  assert.equal(hex(keyring.latest(1)), plaintext.toString('hex'))
})

test('K9: a keyring that was replaced is taken once all its keys unwrap', async (t) => {
  const one = await usedStore(t)
  const { keyring, log } = await openKeyring(t, one.directory, one.masterKey)
  const elsewhere = scratchDirectory(t)
  const { keyring: other } = await openKeyring(t, elsewhere, one.masterKey)
  const wanted = hex(await other.obtainLatest(1))
  const left = hex(keyring.latest(2))

  for (const name of await readdir(one.directory))
    if (name.startsWith('aws-kms')) await rm(join(one.directory, name))
  await copyFile(join(elsewhere, manifestFileName), join(one.directory, manifestFileName))
  await until('the loss is told', () => log.messages('error').length > 0)
  assert.equal(hex(keyring.latest(2)), left)

  await copyFile(join(elsewhere, 'aws-kms-key.1.1'), join(one.directory, 'aws-kms-key.1.1'))
  await until('the other keyring is loaded', () => hex(keyring.latest(1)) === wanted)
  assert.equal(keyring.latest(2), undefined)
  assert.equal(log.messages('warn').length, 1)
})

for (const listed of [false, true]) {
  test(`K9: other key bytes for an issued version, ${listed ? 'listed' : 'unlisted'}, are an error, and memory wins`, async (t) => {
    const { directory, masterKey, keys } = await usedStore(t)
    const { keyring, log } = await openKeyring(t, directory, masterKey)
    const manifestFile = join(directory, manifestFileName)
    const manifest = parseManifest(await readFile(manifestFile, 'utf8'), 'manifest')
    const name = { keyId: 2, version: 1 }
    const other = masterKey.wrap(randomBytes(32), encryptionContextOf(manifest.id, name))
    await writeFile(join(directory, 'aws-kms-key.2.1'), other)
    const others = manifest.keys.filter(({ keyId }) => keyId !== 2)
    const entries = listed ? [...others, { ...name, sha256: fingerprint(other) }] : others
    await writeFile(`${manifestFile}.new`, JSON.stringify({ ...manifest, keys: entries }))
    await rename(`${manifestFile}.new`, manifestFile)

    const isTold = () =>
      log.messages('error').some((line) => line.includes('another key than the one in memory'))
    await until('the error is told', isTold)
    assert.equal(hex(await keyring.obtainLatest(2)), keys[1])
    await assert.rejects(keyring.obtainLatest(8), { code: 'SR_STORE_INCOMPLETE' })
    assert.equal(keyring.isReady, false)
    assert.equal(masterKey.wraps, 0)
  })
}

test('what a killed process left unfinished counts as no key', async (t) => {
  const { directory, masterKey } = await usedStore(t)
  await writeFile(join(directory, '.aws-kms-key.0123456789abcdef.tmp'), 'half')
  for (const name of [
    'aws-kms-key.1',
    'aws-kms-key.01.1',
    'aws-kms-key.9.0',
    'aws-kms-key.4294967296.1',
    'aws-kms-key.9.1.tmp',
  ]) {
    await writeFile(join(directory, name), 'no key')
  }
  const { keyring } = await openKeyring(t, directory, masterKey)
  assert.equal(keyring.isReady, true)
  assert.equal(keyring.listKeys().filter(({ bitLength }) => bitLength === 256).length, 3)
})

test('a thousand stored keys are unwrapped 32 at a time', async (t) => {
  const directory = scratchDirectory(t)
  const masterKey = new FakeMasterKey()
  await Promise.all(
    Array.from({ length: 1000 }, (_, index) =>
      writeFile(join(directory, `aws-kms-key.${index + 1}.1`), masterKey.wrap(randomBytes(32))),
    ),
  )
  masterKey.delay = 5
  const { keyring } = await openKeyring(t, directory, masterKey)
  assert.equal(keyring.isReady, true)
  assert.equal(keyring.listKeys().filter(({ bitLength }) => bitLength === 256).length, 1000)
  assert.equal(masterKey.mostAtOnce, 32)
})

test('extreme ids and two-digit versions survive a restart', async (t) => {
  const directory = scratchDirectory(t)
  const masterKey = new FakeMasterKey()
  const { keyring } = await openKeyring(t, directory, masterKey)
  const wanted = new Map<string, string | undefined>()
  for (const keyId of [100_000, 4_294_967_295])
    wanted.set(`${keyId}.1`, hex(await keyring.obtainLatest(keyId)))
  wanted.set('1.1', hex(await keyring.create(1)))
  for (let version = 2; version <= 25; version++) wanted.set(`1.${version}`, hex(await keyring.rotate(1)))
  await keyring.close()

  const { keyring: again } = await openKeyring(t, directory, masterKey)
  assert.equal(again.isReady, true)
  for (const [name, bytes] of wanted) {
    const [keyId, version] = name.split('.').map(Number)
    assert.equal(hex(again.held(keyId ?? 0, version ?? 0)), bytes, name)
  }
  assert.equal(again.latest(1)?.version, 25)
})

test("at the operator's word a key is created once, and rotated once it exists", async (t) => {
  const { keyring } = await openKeyring(t, scratchDirectory(t), new FakeMasterKey(), {
    creationRule: parseCreationRule('off'),
  })
  await assert.rejects(keyring.rotate(7), { code: 'SR_KEY_ABSENT' })
  assert.equal((await keyring.create(7)).version, 1)
  await assert.rejects(keyring.create(7), { code: 'SR_KEY_PRESENT' })
  assert.equal((await keyring.rotate(7)).version, 2)
  assert.deepEqual(
    keyring
      .listKeys()
      .map(({ keyId, version, isLatest, bitLength }) => [keyId, version, isLatest, bitLength]),
    [
      [7, 1, false, 256],
      [7, 2, true, 256],
    ],
  )
})

test('a directory that does not exist yet is waited for', async (t) => {
  const directory = join(scratchDirectory(t), 'data')
  const { keyring } = await openKeyring(t, directory, new FakeMasterKey())
  await assert.rejects(keyring.obtainLatest(1), { code: 'SR_STORE_UNREADABLE' })
  await mkdir(directory)
  await chmod(directory, 0o750)
  await until(
    'it can be used',
    async () => (await keyring.obtainLatest(1).catch(() => undefined)) !== undefined,
  )
})

test('K4: another master key is tried at once, in the middle of a pause, and makes the next keys', async (t) => {
  const { directory, masterKey, keys } = await usedStore(t)
  masterKey.fault = undefined
  const useless = new FakeMasterKey()
  useless.fault = 'SR_KMS_UNREACHABLE'
  const { keyring, log } = await openKeyring(t, directory, useless)
  await until('the pause has become long', () =>
    log.messages().some((line) => /^not ready, .*; next try in 2000 ms$/.test(line)),
  )
  const looks = useless.unwraps

  keyring.useMasterKey(masterKey, 'AES_128')
  assert.equal(hex(await keyring.obtainLatest(1)), keys[2])
  assert.equal(useless.unwraps, looks)
  assert.equal(keyring.isReady, true)
  await until('the former is closed', () => useless.fault === 'SR_KEYRING_CLOSED')
  assert.equal((await keyring.rotate(1)).bitLength, 128)
})

test('K4: who asks while a look with the former master key is under way gets the answer of the next', async (t) => {
  const { directory, masterKey, keys } = await usedStore(t)
  masterKey.fault = undefined
  const useless = new FakeMasterKey()
  useless.fault = 'SR_KMS_UNREACHABLE'
  const { keyring } = await openKeyring(t, directory, useless)
  useless.delay = 1000
  const looks = useless.unwraps
  await until('a look is under way', () => useless.unwraps > looks)

  keyring.useMasterKey(masterKey, 'AES_256')
  assert.equal(hex(await keyring.obtainLatest(1)), keys[2])
})
