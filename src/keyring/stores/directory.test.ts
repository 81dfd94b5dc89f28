import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { scratchDirectory } from '../../../test/support/scratch.ts'
import { manifestFileName, newManifest, withIssued } from '../manifest.ts'
import { DirectoryStore } from './directory.ts'

const key = { keyId: 1, version: 1, ciphertext: Buffer.from('wrapped') }

test('K2: a key that is there is not overwritten, and nothing is left beside it', async (t) => {
  const directory = scratchDirectory(t)
  const store = new DirectoryStore(directory)
  await store.writeKey(key)
  const before = statSync(store.locationOf(key), { bigint: true })
  await assert.rejects(store.writeKey({ ...key, ciphertext: Buffer.from('other') }), {
    code: 'SR_KEY_FILE_EXISTS',
  })
  assert.equal(readFileSync(store.locationOf(key), 'utf8'), 'wrapped')
  assert.equal(statSync(store.locationOf(key), { bigint: true }).ino, before.ino)
  assert.deepEqual(readdirSync(directory), ['aws-kms-key.1.1'])
})

test('a manifest is replaced only where the one that was read still lies there', async (t) => {
  const directory = scratchDirectory(t)
  const store = new DirectoryStore(directory)
  const [mine, others] = [newManifest('bound'), newManifest('bound')]
  const next = withIssued(mine, [{ keyId: 1, version: 1 }])
  await store.createManifest(mine)
  await assert.rejects(store.createManifest(others), { code: 'SR_KEY_FILE_EXISTS' })
  await store.replaceManifest(next, mine)
  assert.deepEqual((await store.read()).manifest, next)

  await assert.rejects(store.replaceManifest(others, mine), { code: 'SR_STORE_CHANGED' })
  await assert.rejects(store.requireManifest(mine), { code: 'SR_STORE_CHANGED' })
  assert.deepEqual((await store.read()).manifest, next)
  assert.deepEqual(readdirSync(directory), [manifestFileName])
})

test('what was left unfinished is removed once it is old, and nothing else is', async (t) => {
  const directory = scratchDirectory(t)
  const names = [
    '.aws-kms-key.0123456789abcdef.tmp',
    '.aws-kms-key.fedcba9876543210.tmp',
    'aws-kms-key.notes',
    '.other.tmp',
  ]
  for (const name of names) {
    writeFileSync(join(directory, name), 'x')
    if (name !== names[1]) utimesSync(join(directory, name), 0, 0)
  }
  await new DirectoryStore(directory).read()
  assert.deepEqual(readdirSync(directory).sort(), names.slice(1).sort())
})

for (const [what, make, wanted] of [
  ['nothing', () => undefined, false],
  [
    'the folders and the Aria control file of mariadb-install-db',
    (data: string) => {
      mkdirSync(join(data, 'mysql'))
      mkdirSync(join(data, 'performance_schema'))
      writeFileSync(join(data, 'aria_log_control'), '')
    },
    false,
  ],
  [
    'a redo log',
    (data: string) => {
      writeFileSync(join(data, 'ib_logfile0'), '')
    },
    true,
  ],
  [
    'a system tablespace',
    (data: string) => {
      writeFileSync(join(data, 'ibdata1'), '')
    },
    true,
  ],
  [
    'tables of the mysql schema',
    (data: string) => {
      mkdirSync(join(data, 'mysql'))
      writeFileSync(join(data, 'mysql/global_priv.MAI'), '')
    },
    true,
  ],
] as const) {
  test(`K7: ${what} in the data directory ${wanted ? 'is' : 'is not'} a database`, async (t) => {
    const data = scratchDirectory(t)
    make(data)
    assert.equal(await new DirectoryStore(data).holdsData(), wanted)
    assert.equal(await new DirectoryStore(scratchDirectory(t), data).holdsData(), wanted)
  })
}
