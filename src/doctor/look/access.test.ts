import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { scratchDirectory } from '../../../test/support/scratch.ts'
import { accessOf, anybody, hostUser } from './access.ts'

const skip = process.getuid?.() === 0 ? false : 'only root may ask for others'

test('modes, groups, ACLs and the folders on the way', { skip }, (t) => {
  const folder = scratchDirectory(t)
  chmodSync(folder, 0o711)
  const mysql = hostUser('mysql')
  assert.ok(mysql !== undefined)
  const file = (name: string, mode: number, owner = 0, group = 0) => {
    const path = join(folder, name)
    writeFileSync(path, 'x')
    chownSync(path, owner, group)
    chmodSync(path, mode)
    return path
  }
  mkdirSync(join(folder, 'closed'), { mode: 0o700 })
  const files = {
    owned: file('owned', 0o600, mysql.uid),
    grouped: file('grouped', 0o640, 0, mysql.gid),
    shown: file('shown', 0o644),
    hidden: file('hidden', 0o600),
    listed: file('listed', 0o600),
    closed: file('closed/shown', 0o644),
    strange: file("it's \n strange", 0o666),
  }
  execFileSync('setfacl', ['-m', 'u:mysql:r', files.listed])
  const paths = Object.values(files)
  const names = (set: ReadonlySet<string> | undefined) =>
    Object.entries(files).flatMap(([name, path]) => (set?.has(path) === true ? [name] : []))
  const theirs = accessOf(mysql, paths)
  assert.deepEqual(names(theirs?.reads), ['owned', 'grouped', 'shown', 'listed', 'strange'])
  assert.deepEqual(names(theirs?.writes), ['owned', 'strange'])
  const everybodys = accessOf(anybody, paths)
  assert.deepEqual(names(everybodys?.reads), ['shown', 'strange'])
  assert.deepEqual(names(everybodys?.writes), ['strange'])
})

test('where we may not become another user, nothing is said of what that user may do', { skip }, (t) => {
  const folder = scratchDirectory(t)
  const { PATH = '' } = process.env
  writeFileSync(join(folder, 'setpriv'), '#!/bin/sh\nprintf "r/etc/passwd\\0"\nexit 1\n', { mode: 0o755 })
  process.env['PATH'] = `${folder}:${PATH}`
  t.after(() => {
    process.env['PATH'] = PATH
  })
  assert.equal(accessOf(anybody, ['/etc/passwd']), undefined)
})
