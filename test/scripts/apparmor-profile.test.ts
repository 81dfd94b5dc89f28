import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { apparmorDirectory, FileRules, parseProfile, type Right } from '../support/apparmor-profile.ts'
import { scratchDirectory } from '../support/scratch.ts'

const skip =
  spawnSync('apparmor_parser', ['--version']).status === 0
    ? false
    : 'apparmor_parser is not installed (apparmor)'
const profile = join(apparmorDirectory, 'strongroom-agent')

test("the agent's AppArmor profile parses", { skip }, (t) => {
  assert.deepEqual(parseProfile(profile), { code: 0, said: '' })
  const broken = join(scratchDirectory(t), 'broken')
  writeFileSync(broken, readFileSync(profile, 'utf8').replace('rwl,', 'rwl'))
  assert.notEqual(parseProfile(broken).code, 0)
})

test("what MariaDB's own profile needs parses in one", { skip }, (t) => {
  const file = join(scratchDirectory(t), 'mariadbd')
  const local = join(apparmorDirectory, 'mariadbd.local')
  writeFileSync(
    file,
    `abi <abi/3.0>,\ninclude <tunables/global>\nprofile mariadbd /usr/sbin/mariadbd {\n${readFileSync(local, 'utf8')}}\n`,
  )
  assert.deepEqual(parseProfile(file), { code: 0, said: '' })
  const rules = new FileRules(file)
  assert.ok(rules.allow('/run/strongroom/mariadb/agent.sock', ['r', 'w']))
  assert.ok(!rules.allow('/run/strongroom/admin.sock', ['w']))
})

test('the profile lets the agent have its own files and no other', { skip }, () => {
  const rules = new FileRules(profile)
  const allowed: readonly (readonly [path: string, rights: readonly Right[]])[] = [
    ['/etc/strongroom/agent.conf', ['r']],
    ['/etc/strongroom/mariadb.token', ['r']],
    ['/run/credentials/strongroom-agent.service/aws-credentials', ['r']],
    ['/run/strongroom/admin.sock', ['r', 'w']],
    ['/run/strongroom/mariadb/agent.sock', ['r', 'w']],
    ['/var/lib/mysql/', ['r']],
    ['/var/lib/mysql/aws-kms-key.1.1', ['r', 'w', 'l']],
    ['/opt/strongroom/bin/strongroom', ['r', 'x']],
  ]
  for (const [path, rights] of allowed) assert.ok(rules.allow(path, rights), path)
  const refused: readonly (readonly [path: string, right: Right])[] = [
    ['/etc/strongroom/agent.conf', 'w'],
    ['/etc/shadow', 'r'],
    ['/root/.aws/credentials', 'r'],
    ['/var/lib/mysql/ibdata1', 'r'],
    ['/var/lib/mysql/payroll/salaries.ibd', 'r'],
    ['/var/lib/mysql/payroll/aws-kms-key.1.1', 'w'],
    ['/var/lib/mysql/aws-kms-key.1.1', 'x'],
    ['/var/lib/mysql/aws-kms-key.1.1', 'm'],
    ['/opt/strongroom/dist/cli/main.js', 'w'],
    ['/opt/strongroom/dist/cli/main.js', 'x'],
    ['/usr/bin/python3', 'x'],
    ['/proc/1/mem', 'r'],
  ]
  for (const [path, right] of refused) assert.ok(!rules.allow(path, [right]), `${right} ${path}`)
})
