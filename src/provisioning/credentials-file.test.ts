import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { scratchDirectory } from '../../test/support/scratch.ts'
import { CredentialsFile } from './credentials-file.ts'

const credentials = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
}

test('it is there before the access key, for its owner alone, and whole afterwards', (t) => {
  const folder = scratchDirectory(t)
  const file = new CredentialsFile(join(folder, 'db1'))
  assert.deepEqual(file.read(), { state: 'absent' })
  file.begin('strongroom-db1', ['AKIAOLD', 'AKIAOLDER'])
  assert.equal(statSync(file.path).mode & 0o777, 0o600)
  assert.deepEqual(file.read(), { state: 'unfinished', before: ['AKIAOLD', 'AKIAOLDER'] })
  file.finish('strongroom-db1', credentials)
  assert.equal(statSync(file.path).mode & 0o777, 0o600)
  assert.deepEqual(file.read(), { state: 'whole', credentials })
  assert.match(
    readFileSync(file.path, 'utf8'),
    /^# .*\n\[default\]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = \S+\n$/,
  )
  assert.deepEqual(readdirSync(folder), ['db1'])
})

test('a user without access keys before is one', (t) => {
  const file = new CredentialsFile(join(scratchDirectory(t), 'db1'))
  file.begin('strongroom-db1', [])
  assert.deepEqual(file.read(), { state: 'unfinished', before: [] })
})

test('nothing is overwritten, and nothing that others may read or that is no file is taken', (t) => {
  const folder = scratchDirectory(t)
  const at = (name: string) => new CredentialsFile(join(folder, name))
  const code = 'SR_PROVISION_FILE'
  writeFileSync(join(folder, 'other'), 'precious\n', { mode: 0o600 })
  assert.throws(() => at('other').read(), { code, message: /holds no access key: it is not overwritten/ })
  assert.throws(
    () => {
      at('other').begin('u', [])
    },
    { code, message: /cannot create .*other \(EEXIST\)/ },
  )
  assert.equal(readFileSync(join(folder, 'other'), 'utf8'), 'precious\n')
  mkdirSync(join(folder, 'folder'))
  assert.throws(() => at('folder').read(), { code, message: /is no credentials file/ })
  symlinkSync('other', join(folder, 'link'))
  assert.throws(() => at('link').read(), { code, message: /cannot read/ })
  const open = at('open')
  open.begin('u', [])
  chmodSync(open.path, 0o640)
  assert.throws(() => open.read(), { code, message: /others than its owner may read or write/ })
  assert.throws(
    () => at('missing/db1').read(),
    { code, message: /cannot read .*missing/ },
    'before anything is made',
  )
  assert.throws(
    () => {
      at('missing/db1').begin('u', [])
    },
    { code, message: /cannot create .*ENOENT/ },
  )
})

test(
  "another user's file decides nothing",
  { skip: process.geteuid?.() === 0 ? false : 'only root can give a file away' },
  (t) => {
    const file = new CredentialsFile(join(scratchDirectory(t), 'db1'))
    file.begin('strongroom-db1', [])
    chownSync(file.path, 65534, 65534)
    assert.throws(() => file.read(), {
      code: 'SR_PROVISION_FILE',
      message: /belongs to another user \(65534\)/,
    })
  },
)
