import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import fs, {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  linkSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mock, test, type TestContext } from 'node:test'
import type { SealHelp } from '../seal/seal.ts'
import { openDataDirectory } from './data-directory.ts'
import { reseal } from './reseal.ts'

const words = 'correct horse battery staple'
const knowing: SealHelp = { askPassphrase: () => Promise.resolve(Buffer.from(words)) }

function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'strongroom-reseal-'))
  t.after(() => {
    rmSync(directory, { recursive: true })
  })
  return directory
}

/** A value that only the root key makes. */
async function fingerprint(directory: string, help: SealHelp = knowing): Promise<string> {
  const data = await openDataDirectory(directory, help)
  try {
    return data.rootKey.derive('test').toString('hex')
  } finally {
    data.close()
  }
}

async function madeWithPassphrase(directory: string): Promise<void> {
  const data = await openDataDirectory(directory, { ...knowing, seal: { kind: 'passphrase' } })
  data.close()
}

/** Copies the directory before each change to it: what would lie there had the process been killed just then. */
async function killedAtEachStep(
  t: TestContext,
  directory: string,
  work: () => Promise<unknown>,
): Promise<string[]> {
  const snapshots = new Map<string, string>()
  let copying = false
  const snapshot = (): void => {
    if (copying) return
    copying = true
    const state = stateOf(directory)
    if (!snapshots.has(state)) {
      const copy = join(scratch(t), 'kms')
      cpSync(directory, copy, { recursive: true })
      chmodSync(copy, 0o700)
      snapshots.set(state, copy)
    }
    copying = false
  }
  const calls = (['openSync', 'writeSync', 'fsyncSync', 'renameSync', 'rmSync'] as const).map((name) => {
    const original: (...args: never[]) => unknown = fs[name]
    return mock.method(fs, name, (...args: never[]) => {
      snapshot()
      return original(...args)
    })
  })
  syncBuiltinESMExports()
  try {
    await work()
  } finally {
    for (const call of calls) call.mock.restore()
    syncBuiltinESMExports()
  }
  snapshot()
  return [...snapshots.values()]
}

function stateOf(directory: string): string {
  const hash = createHash('sha256')
  for (const name of readdirSync(directory).sort()) {
    if (name.startsWith('root-key')) hash.update(name).update(readFileSync(join(directory, name)))
  }
  return hash.digest('hex')
}

test('killed at any step, a change of the seal leaves a seal that opens, and nothing in the clear beside it', async (t) => {
  const directory = join(scratch(t), 'kms')
  const before = await fingerprint(directory)
  const rootKey = readFileSync(join(directory, 'root-key')).subarray(-32)
  const both = { open: knowing, make: knowing }
  const sealing = await killedAtEachStep(t, directory, () => reseal(directory, { kind: 'passphrase' }, both))
  const unsealing = await killedAtEachStep(t, directory, () => reseal(directory, { kind: 'file' }, both))
  assert.ok(sealing.length >= 6 && unsealing.length >= 4, `${sealing.length} and ${unsealing.length} states`)
  const kinds = new Map<string, number>()
  for (const copy of [...sealing, ...unsealing]) {
    assert.equal(await fingerprint(copy), before)
    const sealed = existsSync(join(copy, 'root-key.json'))
    kinds.set(sealed ? 'sealed' : 'clear', (kinds.get(sealed ? 'sealed' : 'clear') ?? 0) + 1)
    if (!sealed) continue
    for (const name of readdirSync(copy)) {
      assert.equal(readFileSync(join(copy, name)).includes(rootKey), false, name)
    }
  }
  assert.equal(kinds.size, 2)
})

test('a root key in the clear is overwritten before it is removed', async (t) => {
  const directory = join(scratch(t), 'kms')
  await fingerprint(directory)
  const sameFile = join(scratch(t), 'same-file')
  linkSync(join(directory, 'root-key'), sameFile)
  await reseal(directory, { kind: 'passphrase' }, { open: knowing, make: knowing })
  assert.deepEqual(readFileSync(sameFile), Buffer.alloc(54))
})

test("what root reseals stays the service's user's", { skip: process.getuid?.() !== 0 }, async (t) => {
  const directory = join(scratch(t), 'kms')
  await fingerprint(directory)
  const names = readdirSync(directory).map((name) => join(directory, name))
  for (const path of [directory, ...names]) chownSync(path, 65_534, 65_534)
  await reseal(directory, { kind: 'passphrase' }, { open: knowing, make: knowing })
  for (const name of readdirSync(directory)) {
    assert.equal(statSync(join(directory, name)).uid, 65_534, name)
  }
})

test('a seal that does not open is not put in the place of the old one', async (t) => {
  const directory = join(scratch(t), 'kms')
  const before = await fingerprint(directory)
  const answers = [words, 'something else that was typed']
  const slipping: SealHelp = { askPassphrase: () => Promise.resolve(Buffer.from(answers.shift() ?? '')) }
  await assert.rejects(reseal(directory, { kind: 'passphrase' }, { open: knowing, make: slipping }), {
    code: 'SR_KMS_PASSPHRASE',
  })
  assert.equal(await fingerprint(directory, {}), before)
  assert.equal(existsSync(join(directory, 'root-key.json')), false)
})

test('a root key in the clear that is another is left alone, and stops the start', async (t) => {
  const directory = join(scratch(t), 'kms')
  await madeWithPassphrase(directory)
  const foreign = Buffer.concat([Buffer.from('strongroom root key 1\n'), randomBytes(32)])
  writeFileSync(join(directory, 'root-key'), foreign, { mode: 0o600 })
  await assert.rejects(fingerprint(directory), {
    code: 'SR_KMS_ROOT_KEY_WRONG',
    message: /put it where it belongs/,
  })
  assert.deepEqual(readFileSync(join(directory, 'root-key')), foreign)
})

test('whatever is changed in the seal file, it does not open', async (t) => {
  const directory = join(scratch(t), 'kms')
  await madeWithPassphrase(directory)
  const path = join(directory, 'root-key.json')
  const text = readFileSync(path, 'utf8')
  const changed: [change: (text: string) => string, code: string][] = [
    [(text) => text.replace('"passes": 3', '"passes": 2'), 'SR_KMS_PASSPHRASE'],
    [(text) => text.replace('"memory": 262144', '"memory": 99999999'), 'SR_KMS_SEAL'],
    [(text) => text.replace(/"salt": "./, '"salt": "_'), 'SR_KMS_SEAL'],
    [
      (text) => text.replace(/"sealedRootKey": "(.)/, (_, c) => `"sealedRootKey": "${c === 'A' ? 'B' : 'A'}`),
      'SR_KMS_PASSPHRASE',
    ],
    [
      (text) => text.replace(/"tag": "(.)/, (_, c) => `"tag": "${c === 'A' ? 'B' : 'A'}`),
      'SR_KMS_ROOT_KEY_WRONG',
    ],
    [
      (text) => text.replace(/"serviceId": "(.)/, (_, c) => `"serviceId": "${c === 'a' ? 'b' : 'a'}`),
      'SR_KMS_ROOT_KEY_WRONG',
    ],
    [(text) => text.replace('"kind": "passphrase"', '"kind": "magic"'), 'SR_KMS_SEAL'],
    [(text) => text.slice(0, 100), 'SR_KMS_SEAL'],
    [() => '', 'SR_KMS_SEAL'],
  ]
  for (const [change, code] of changed) {
    writeFileSync(path, change(text))
    await assert.rejects(fingerprint(directory), { code }, String(change))
  }
  // Told before anybody is asked for a passphrase.
  writeFileSync(path, text.replace(/"serviceId": "[0-9a-f]+/, '"serviceId": "00'))
  await assert.rejects(fingerprint(directory, {}), { message: /belongs to the database of another service/ })
  rmSync(path)
  await assert.rejects(fingerprint(directory), { code: 'SR_KMS_ROOT_KEY_MISSING' })
  writeFileSync(path, text)
  assert.equal((await fingerprint(directory)).length, 64)
})

test('of a service that is not there no seal is changed, and none is made', async (t) => {
  const directory = join(scratch(t), 'none')
  await assert.rejects(reseal(directory, { kind: 'file' }, { open: {}, make: {} }), {
    code: 'SR_KMS_DATABASE_MISSING',
  })
  assert.equal(existsSync(directory), false)
})
