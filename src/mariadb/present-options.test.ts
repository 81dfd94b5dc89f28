import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { scratchDirectory } from '../../test/support/scratch.ts'
import { optionFilesOf, presentOptions, serverGroups, withFile } from './present-options.ts'
import { findProgram } from './programs.ts'

const files = optionFilesOf((path) => path)
const groups = serverGroups({ major: 10, minor: 11 })

test('the same options in the same order as MariaDB reads', (t) => {
  const folder = scratchDirectory(t)
  mkdirSync(join(folder, 'conf.d'))
  const main = join(folder, 'my.cnf')
  writeFileSync(
    main,
    `[mysql]
client = only
 [mariadb]   # a comment
plain
  spaced   =   a value   # and a comment
quoted = "with # inside"
single='x'   # comment
; no option = 1
under_score=1
empty=
!includedir ${folder}/conf.d/
after-include = 2
[mariadb-10.11]
versioned = 3
[mariadb-10.6]
other-version = 4
!include ${folder}/more.inc
[galera]
wsrep = 5
`,
  )
  writeFileSync(join(folder, 'conf.d/b.cnf'), '[mysqld]\nin-b\n')
  writeFileSync(join(folder, 'conf.d/a.cnf'), '[server]\nin-a = 1\n')
  writeFileSync(join(folder, 'conf.d/Z.cnf'), '[mariadbd]\nin-z = 1\n')
  writeFileSync(join(folder, 'conf.d/c.cnf.bak'), '[mysqld]\nbackup\n')
  writeFileSync(join(folder, 'conf.d/open.cnf'), '[mysqld]\nwritable-by-all\n')
  chmodSync(join(folder, 'conf.d/open.cnf'), 0o666)
  writeFileSync(join(folder, 'more.inc'), '[client-server]\nincluded = 1\n')

  const printed = execFileSync(findProgram('my_print_defaults'), [`--defaults-file=${main}`, ...groups], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const ours = presentOptions([main], groups, files).map(({ name, value }) =>
    value === undefined ? `--${name}` : `--${name}=${value}`,
  )
  assert.deepEqual(
    ours,
    printed
      .trimEnd()
      .split('\n')
      .map((line) => line.replaceAll('_', '-')),
  )
  assert.ok(ours.length > 10)
})

test('an option is known however it is written, and where it stands', (t) => {
  const file = join(scratchDirectory(t), 'my.cnf')
  writeFileSync(file, '[mariadb]\n\nloose_innodb_encrypt_log\nskip-log-bin\nDISABLE_x\nenable-y\n')
  assert.deepEqual(
    presentOptions([file], groups, files).map(({ line, name, value }) => [line, name, value]),
    [
      [3, 'innodb-encrypt-log', undefined],
      [4, 'log-bin', 'OFF'],
      [5, 'x', 'OFF'],
      [6, 'y', undefined],
    ],
  )
})

test('a file that is yet to be written is read in its place', (t) => {
  const folder = scratchDirectory(t)
  const main = join(folder, 'my.cnf')
  writeFileSync(main, `!includedir ${folder}\n`)
  for (const name of ['a.cnf', 'c.cnf'])
    writeFileSync(join(folder, name), `[mariadb]\n${name.slice(0, 1)}=1\n`)
  const planned = withFile(files, join(folder, 'b.cnf'), '[mariadb]\nb=1\n')
  const names = presentOptions([main], groups, planned).map(({ name }) => name)
  assert.deepEqual(names.slice(0, 3), ['a', 'b', 'c'])
})
