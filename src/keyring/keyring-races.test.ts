import assert from 'node:assert/strict'
import { cp, type FileHandle, mkdir, open, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { symlinkSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { FakeMasterKey } from '../../test/support/fake-master-key.ts'
import { openKeyring } from '../../test/support/keyring.ts'
import { scratchDirectory } from '../../test/support/scratch.ts'
import { until } from '../../test/support/until.ts'
import { StrongroomError } from '../errors.ts'
import { manifestFileName, newManifest, parseManifest, serialiseManifest } from './manifest.ts'
import { encryptionContextOf } from './wrapped-key.ts'

/** A keyring that has key 1, and another, empty one that is to take its place. */
async function keyringAndDonor(t: TestContext) {
  const directory = scratchDirectory(t)
  const donor = scratchDirectory(t)
  const masterKey = new FakeMasterKey()
  const { keyring, log } = await openKeyring(t, directory, masterKey)
  await keyring.create(1)
  const { keyring: other } = await openKeyring(t, donor, masterKey)
  return { directory, donor, masterKey, keyring, log, other }
}

async function removeKeyFiles(directory: string): Promise<void> {
  for (const name of await readdir(directory)) if (name.startsWith('aws-kms')) await rm(join(directory, name))
}

test('K2, K9: a keyring that is put there while a key is being made is not touched, and is taken', async (t) => {
  const { directory, donor, masterKey, keyring, other } = await keyringAndDonor(t)
  await other.create(1)
  await other.create(2)
  const wanted = await readFile(join(donor, manifestFileName))

  masterKey.delay = 300
  const making = keyring.obtainLatest(5)
  await setTimeout(100)
  await removeKeyFiles(directory)
  await cp(donor, directory, { recursive: true })

  await assert.rejects(making, { code: 'SR_STORE_CHANGED' })
  masterKey.delay = 0
  await until('the donor’s keyring is loaded', () => keyring.latest(2) !== undefined)
  assert.deepEqual(await readFile(join(directory, manifestFileName)), wanted)
  assert.equal(keyring.latest(5), undefined)
  assert.equal(keyring.isReady, true)
})

test('K9: a stray file of the former keyring does not keep the new one from being taken', async (t) => {
  const { directory, donor, keyring, log, other } = await keyringAndDonor(t)
  await keyring.create(5)
  await other.create(1)
  await other.rotate(1)

  await cp(donor, directory, { recursive: true })

  await until('the donor’s keyring is loaded', () => keyring.latest(1)?.version === 2)
  await until('the stray file is told of', () =>
    log.messages('error').some((line) => /key 5, version 1.*remove it/.test(line)),
  )
})

test('K9: of a keyring that arrives file by file, each key is unwrapped once', async (t) => {
  const { directory, donor, masterKey, keyring, other } = await keyringAndDonor(t)
  for (let keyId = 1; keyId <= 20; keyId++) await other.create(keyId)
  const last = join(donor, 'aws-kms-key.20.1')
  const bytes = await readFile(last)
  await rm(last)
  masterKey.unwraps = 0

  await removeKeyFiles(directory)
  await cp(donor, directory, { recursive: true })
  for (let asked = 0; asked < 200; asked++) {
    await keyring.obtain(7, 1).catch(() => undefined)
    await setTimeout(10)
  }
  assert.ok(masterKey.unwraps <= 20, `${masterKey.unwraps} calls`)

  await writeFile(join(directory, 'aws-kms-key.20.1'), bytes)
  await until('it is loaded', () => keyring.latest(20) !== undefined)
})

test('K7: a first attempt that the KMS refused leaves nothing that would let a key be invented later', async (t) => {
  const directory = scratchDirectory(t)
  const masterKey = new FakeMasterKey()
  masterKey.fault = 'SR_KMS_ACCESS_DENIED'
  const { keyring } = await openKeyring(t, directory, masterKey)
  await assert.rejects(keyring.obtainLatest(1), { code: 'SR_KMS_ACCESS_DENIED' })
  assert.deepEqual(await readdir(directory), [])
  await keyring.close()

  // Nor does an empty manifest, which a crash at the wrong moment leaves.
  await writeFile(join(directory, manifestFileName), serialiseManifest(newManifest('bound')))
  await writeFile(join(directory, 'ibdata1'), 'a database without its keys')
  masterKey.fault = undefined
  const { keyring: again } = await openKeyring(t, directory, masterKey)
  assert.equal(again.isReady, false)
  await assert.rejects(again.obtainLatest(1), { code: 'SR_KEYRING_MISSING' })
  assert.equal((await again.create(1)).version, 1)
})

for (const first of ['operator', 'server']) {
  test(`K5: an operator and a server that want the first version at once get the same one, the ${first} first`, async (t) => {
    const masterKey = new FakeMasterKey()
    masterKey.delay = 20
    const { keyring } = await openKeyring(t, scratchDirectory(t), masterKey)
    const ask = [() => keyring.create(5), () => keyring.obtainLatest(5)]
    const [one, other] = await Promise.all((first === 'operator' ? ask : ask.reverse()).map((act) => act()))
    assert.ok(one !== undefined)
    assert.equal(one, other)
    assert.equal(masterKey.wraps, 1)
    await assert.rejects(keyring.create(5), { code: 'SR_KEY_PRESENT' })
  })
}

test('two agents on one directory: every key that either serves is listed before long, and lost to neither', async (t) => {
  const directory = scratchDirectory(t)
  const masterKey = new FakeMasterKey()
  const { keyring: one } = await openKeyring(t, directory, masterKey)
  await one.create(1)
  const { keyring: two } = await openKeyring(t, directory, masterKey)
  masterKey.delay = 10
  await Promise.allSettled(
    [5, 6, 7, 8].flatMap((keyId) => [one.obtainLatest(keyId), two.obtainLatest(keyId + 10)]),
  )
  const served = [one, two].flatMap((keyring) =>
    keyring.listKeys().filter(({ bitLength }) => bitLength !== undefined),
  )
  assert.ok(served.length > 2)
  for (const { keyId } of served) {
    const isListed = async () => {
      const text = await readFile(join(directory, manifestFileName), 'utf8')
      return parseManifest(text, manifestFileName).keys.some((entry) => entry.keyId === keyId)
    }
    await until(`key ${keyId} is listed`, isListed)
    await until(
      `both have key ${keyId}`,
      () => one.latest(keyId) !== undefined && two.latest(keyId) !== undefined,
    )
  }
})

for (const [what, make] of [
  ['a FIFO', (path: string) => execFileSync('mkfifo', [path])],
  [
    'a symbolic link',
    (path: string) => {
      symlinkSync('/etc/hostname', path)
    },
  ],
  [
    'a file of 8 GB',
    (path: string) => {
      execFileSync('touch', [path])
      truncateSync(path, 8 * 1024 ** 3)
    },
  ],
] as const) {
  test(`${what} under the name of a key file is told of, and stops nothing else`, async (t) => {
    const directory = scratchDirectory(t)
    const masterKey = new FakeMasterKey()
    const { keyring } = await openKeyring(t, directory, masterKey)
    await keyring.create(1)
    await keyring.close()
    make(join(directory, 'aws-kms-key.9.1'))
    const { keyring: again, log } = await openKeyring(t, directory, masterKey)
    assert.equal(again.latest(1)?.version, 1)
    await assert.rejects(again.obtainLatest(9))
    assert.equal(log.messages('error').filter((line) => line.includes('aws-kms-key.9.1')).length, 1)
    await rm(join(directory, 'aws-kms-key.9.1'))
    await again.whenReady()
    assert.equal((await again.obtainLatest(9))?.version, 1)
  })
}

test('K4: a clock that is set back stops no retry', async (t) => {
  const directory = scratchDirectory(t)
  const masterKey = new FakeMasterKey()
  const { keyring } = await openKeyring(t, directory, masterKey)
  await keyring.create(1)
  await keyring.close()
  masterKey.fault = 'SR_KMS_CREDENTIALS'
  const { keyring: again } = await openKeyring(t, directory, masterKey)
  const real = Date.now.bind(Date)
  t.mock.method(Date, 'now', () => real() - 3_600_000)
  masterKey.fault = undefined
  await Promise.race([again.whenReady(), setTimeout(10_000).then(() => assert.fail('it is not tried again'))])
})

test('K9: a manifest and a key written over in place are noticed', async (t) => {
  const { directory, donor, keyring, other } = await keyringAndDonor(t)
  const wanted = await other.create(1)
  for (const name of ['aws-kms-key.1.1', manifestFileName]) {
    const file = await open(join(directory, name), 'r+')
    await file.write(await readFile(join(donor, name)), 0)
    await file.close()
  }
  await until('it is loaded', () => keyring.latest(1)?.hasSameBytesAs(wanted) === true)
})

test('K4: keys that a policy withholds keep no other from being loaded', async (t) => {
  const directory = scratchDirectory(t)
  const masterKey = new FakeMasterKey()
  const { keyring } = await openKeyring(t, directory, masterKey)
  for (let keyId = 1; keyId <= 100; keyId++) await keyring.create(keyId)
  await keyring.close()
  masterKey.faultFor = (context) =>
    Number(context['strongroom-key-id']) <= 40 ? 'SR_KMS_ACCESS_DENIED' : undefined
  const { keyring: again } = await openKeyring(t, directory, masterKey)
  assert.equal(again.listKeys().filter(({ bitLength }) => bitLength !== undefined).length, 60)
  await assert.rejects(again.obtainLatest(1), { code: 'SR_KMS_ACCESS_DENIED' })
})

test('a client that asks in a loop for a key that can not be made is no loop of KMS calls', async (t) => {
  const masterKey = new FakeMasterKey()
  masterKey.fault = 'SR_KMS_UNREACHABLE'
  const { keyring, log } = await openKeyring(t, scratchDirectory(t), masterKey)
  for (let asked = 0; asked < 300; asked++) {
    await assert.rejects(keyring.obtainLatest(5), { code: 'SR_KMS_UNREACHABLE' })
    await setTimeout(5)
  }
  assert.ok(masterKey.wraps <= 6, `${masterKey.wraps} calls`)
  assert.equal(log.messages('error').length, 1)
})

test('clients that ask while the KMS is down neither hurry nor delay the next try', async (t) => {
  const directory = scratchDirectory(t)
  const masterKey = new FakeMasterKey()
  const { keyring } = await openKeyring(t, directory, masterKey)
  await keyring.create(1)
  await keyring.close()
  masterKey.fault = 'SR_KMS_UNREACHABLE'
  masterKey.unwraps = 0
  const { keyring: again, log } = await openKeyring(t, directory, masterKey)
  const end = Date.now() + 2000
  while (Date.now() < end) {
    await Promise.allSettled(Array.from({ length: 50 }, () => again.obtain(1, 1)))
    await setTimeout(10)
  }
  assert.ok(masterKey.unwraps <= 6, `${masterKey.unwraps} calls`)
  assert.ok(log.messages('info').length <= 6, log.messages('info').join('\n'))
})

test('K1: a name whose directory could not be synced is synced before its key is served', async (t) => {
  const directory = scratchDirectory(t)
  const masterKey = new FakeMasterKey()
  const { keyring } = await openKeyring(t, directory, masterKey)
  await keyring.create(1)
  const handle = await open(directory)
  const prototype: unknown = Object.getPrototypeOf(handle)
  await handle.close()
  assert.ok(isSyncable(prototype))
  let fails = true
  let synced = 0
  t.mock.method(prototype, 'sync', async function (this: FileHandle) {
    if ((await this.stat()).isDirectory()) {
      if (fails) throw new Error('EIO of the disk')
      synced += 1
    }
    await this.datasync()
  })

  await assert.rejects(keyring.obtainLatest(5), { code: 'SR_STORE_WRITE_FAILED' })
  await assert.rejects(keyring.obtainLatest(5), { code: 'SR_STORE_WRITE_FAILED' })
  assert.equal(keyring.latest(5), undefined)
  fails = false
  await until(
    'the key is served',
    async () => (await keyring.obtainLatest(5).catch(() => undefined)) !== undefined,
  )
  assert.ok(synced >= 1)
})

test('K9: a context that is bound keeps a key of another keyring out, whatever its name', async (t) => {
  const directory = scratchDirectory(t)
  const masterKey = new FakeMasterKey()
  const { keyring, log } = await openKeyring(t, directory, masterKey)
  await keyring.create(1)
  const other = encryptionContextOf('0'.repeat(32), { keyId: 1, version: 2 })
  await mkdir(join(directory, 'elsewhere'))
  await writeFile(join(directory, 'aws-kms-key.1.2'), masterKey.wrap(randomBytes(32), other))
  await until('it is told of', () => log.messages('error').some((line) => line.includes('aws-kms-key.1.2')))
  assert.equal(keyring.latest(1)?.version, 1)
})

function isSyncable(value: unknown): value is { sync(): Promise<void> } {
  return typeof value === 'object' && value !== null && 'sync' in value
}

test('K4, K5: who asks after the master key was changed does not hear that making a key failed with the former', async (t) => {
  const former = new FakeMasterKey()
  const { keyring } = await openKeyring(t, scratchDirectory(t), former)
  former.delay = 300
  former.faultFor = () => 'SR_KMS_UNREACHABLE'
  const early = keyring.obtainLatest(1)
  await until('the former is asked', () => former.wraps === 1)
  const masterKey = new FakeMasterKey()
  keyring.useMasterKey(masterKey, 'AES_256')
  const late = [keyring.obtainLatest(1), keyring.obtainLatest(1)]
  await assert.rejects(early, { code: 'SR_KMS_UNREACHABLE' })
  const keys = await Promise.all(late)
  assert.deepEqual([keys[0]?.version, keys[1] === keys[0], masterKey.wraps], [1, true, 1])
  assert.equal(await keyring.obtainLatest(1), keys[0])
})

test('K2, K5: a key that the former master key was making is not made again with the next', async (t) => {
  const former = new FakeMasterKey()
  const { keyring } = await openKeyring(t, scratchDirectory(t), former)
  former.delay = 300
  const early = keyring.obtainLatest(1)
  await until('the former is asked', () => former.wraps === 1)
  const masterKey = new FakeMasterKey()
  keyring.useMasterKey(masterKey, 'AES_256')
  assert.equal(await keyring.obtainLatest(1), await early)
  assert.equal(masterKey.wraps, 0)
})

test('a keyring whose keys the KMS does not know may be waiting for another KMS', async (t) => {
  const { directory, keyring } = await keyringAndDonor(t)
  await keyring.close()
  const { keyring: elsewhere } = await openKeyring(t, directory, new FakeMasterKey())
  assert.deepEqual([elsewhere.isReady, elsewhere.waitsForKms], [false, true])
  await rm(join(directory, 'aws-kms-key.1.1'))
  await until('the file is missed', () => !elsewhere.waitsForKms)
})

test('K10: what is wrong with the next master key is told, whatever a look with the former still finds out', async (t) => {
  const { directory, keyring } = await keyringAndDonor(t)
  await keyring.close()
  const former = new FakeMasterKey()
  former.fault = 'SR_KMS_UNREACHABLE'
  const { keyring: again, log } = await openKeyring(t, directory, former)
  former.delay = 300
  const looks = former.unwraps
  await until('a look is under way', () => former.unwraps > looks)
  const masterKey = new FakeMasterKey()
  masterKey.unwrap = () => Promise.reject(new StrongroomError('SR_KMS_UNREACHABLE', 'the next is away'))
  again.useMasterKey(masterKey, 'AES_256')
  await until('the next is told of', () =>
    log.messages('error').some((text) => text.includes('the next is away')),
  )
  assert.equal(log.messages('error').length, 2)
})
