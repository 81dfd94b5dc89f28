import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { scratchDirectory } from '../../test/support/scratch.ts'
import { Tree } from './tree.ts'

test('a link leads where it would lead on that machine, and never out of the tree', (t) => {
  const root = scratchDirectory(t)
  mkdirSync(join(root, 'etc/mysql'), { recursive: true })
  mkdirSync(join(root, 'etc/alternatives'))
  writeFileSync(join(root, 'etc/mysql/mariadb.cnf'), 'theirs')
  // As Debian has them.
  symlinkSync('/etc/alternatives/my.cnf', join(root, 'etc/mysql/my.cnf'))
  symlinkSync('/etc/mysql/mariadb.cnf', join(root, 'etc/alternatives/my.cnf'))
  symlinkSync('../../../../../../etc', join(root, 'up'))
  const tree = new Tree(root)
  assert.equal(tree.read('/etc/mysql/my.cnf')?.toString(), 'theirs')
  assert.equal(tree.place('/etc/mysql/my.cnf'), join(root, 'etc/mysql/mariadb.cnf'))
  assert.equal(tree.place('/up/passwd'), join(root, 'etc/passwd'))
  assert.equal(tree.place('/../../etc/passwd'), join(root, 'etc/passwd'))
  assert.equal(tree.linkAt('/etc/mysql/my.cnf'), '/etc/alternatives/my.cnf')
  assert.equal(tree.look('/etc/none/of/it'), undefined)
  assert.equal(tree.read('/etc/mysql/mariadb.cnf/below'), undefined)
})

test('links that lead to each other are an error', (t) => {
  const root = scratchDirectory(t)
  symlinkSync('/b', join(root, 'a'))
  symlinkSync('/a', join(root, 'b'))
  assert.throws(() => new Tree(root).place('/a/c'), { code: 'SR_DEPLOY_IMPOSSIBLE' })
})
