import assert from 'node:assert/strict'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { exampleRegion } from '../../src/cli/demo/kms-setup.ts'
import { Guide } from '../support/guide.ts'
import { DatabaseHost } from '../support/machine/database-host.ts'
import { whyNoMachine } from '../support/machine/requirements.ts'
import { until } from '../support/until.ts'

/*
 * docs/operations.md as it stands, on a machine that has booted. The administrator's computer is the same machine, with other
 * credentials; `strongroom kms` stands for Amazon.
 */

const skip = (await whyNoMachine()) ?? false
let made: { readonly host: DatabaseHost; readonly guide: Guide } | undefined
let steps = 0
let failed = ''
const found = { masterKey: '', keyringId: '' }

before(async () => {
  if (skip !== false) return
  const host = await DatabaseHost.create()
  made = { host, guide: guideOn(host) }
  await bringAlong(host)
})

after(async () => {
  await made?.host.remove()
})

step('Install', async (run) => {
  assert.match(await run(), /^ {2}strongroom demo /m)
})

step('Provision', async (run) => {
  const said = await run()
  assert.match(said, /CreateKey/)
  const next = /--master-key-id (arn:aws:kms:\S+) .*--keyring-id ([0-9a-f]{32})/.exec(said)
  assert.ok(next !== null, said)
  const [, masterKey = '', keyringId = ''] = next
  Object.assign(found, { masterKey, keyringId })
  await run()
  assert.match(readFileSync(join(at().machine.tree, 'root/db1.tf.json'), 'utf8'), /"aws_kms_key"/)
})

step('Configure the host', async (run) => {
  assert.match(await run(), /^everything is as it must be$/m)
})

step('Start with a new database', async (run) => {
  const { machine } = at()
  assert.match(await run(), /^key 1, version 1 +256 bit, latest/m)
  assert.equal(await machine.run('ls -d /var/lib/mysql.package'), '/var/lib/mysql.package')
})

step('Prove it', async (run) => {
  assert.equal(await run(), 'no finding\n')
})

step('Start with a database that has data', async (run, sql, guide) => {
  const section = 'Start with a database that has data'
  const { machine } = at()
  await machine.run('systemctl stop mariadb strongroom-agent')
  await machine.run('mv /var/lib/mysql /var/lib/mysql.new && mv /var/lib/mysql.package /var/lib/mysql')
  assert.match(await run(), /^key 1, version 1, 256 bit/m)
  const left = guide.next(section, 'sql')
  await until('InnoDB has encrypted all', async () => (await sql(left)) === '0')
  await run()
  await sql(guide.next(section, 'sql'))
  // Whether pages of the system tablespace are free just then is up to InnoDB.
  const { stdout } = await machine.try('strongroom doctor --json')
  const codes = [...stdout.matchAll(/"code":"(\w+)"/g)].map(([, code]) => code)
  assert.deepEqual(new Set([...codes, 'SRD_FREED_PAGES_PLAINTEXT']), new Set(['SRD_FREED_PAGES_PLAINTEXT']))
  await machine.run('systemctl stop mariadb strongroom-agent')
  await machine.run('mv /var/lib/mysql /var/lib/mysql.old && mv /var/lib/mysql.new /var/lib/mysql')
  await machine.run('systemctl start mariadb')
})

step('Back up, and prove the backup', async (run, sql) => {
  await sql(
    "CREATE DATABASE payroll; CREATE TABLE payroll.salaries (note varchar(80)); INSERT INTO payroll.salaries VALUES ('confidential')",
  )
  assert.match(await run(), /completed OK!/)
  await run()
  assert.equal(await sql('SELECT note FROM payroll.salaries'), 'confidential')
})

step('Rotate', async (run) => {
  assert.equal(await run(), 'key 1, version 2, 256 bit\n')
})

step('Restart and upgrade', async (run, sql) => {
  assert.match(await run(), /Status: "every stored key is unwrapped"/)
  assert.equal(await sql('SELECT note FROM payroll.salaries'), 'confidential')
})

step('A new access key', async (run) => {
  const { machine } = at()
  const idIn = async (file: string) => await machine.run(`sed -n 's/aws_access_key_id *= *//p' ${file}`)
  const former = await idIn('/etc/strongroom/aws-credentials')
  await run()
  await run()
  const id = await idIn('/etc/strongroom/aws-credentials')
  assert.notEqual(id, former)
  assert.match(id, /^AKIA/)
})

step('A master key that is enabled for starts only', async (run, sql) => {
  const section = 'A master key that is enabled for starts only'
  const { machine } = at()
  await run()
  assert.equal(await sql('SELECT note FROM payroll.salaries'), 'confidential')
  await run()
  await until('the agent waits', async () =>
    (await machine.property('strongroom-agent', 'StatusText')).includes('to be enabled'),
  )
  assert.match(await run(), /closed, confirmed/)
  assert.equal(await sql('SELECT note FROM payroll.salaries'), 'confidential')
  await run()
  assert.equal(made?.guide.left.join(), '', section)
})

function guideOn(host: DatabaseHost): Guide {
  return new Guide({
    file: join(import.meta.dirname, '../../docs/operations.md'),
    paths: new Map([['eu-central-1', exampleRegion]]),
    environment: {},
    prelude: '',
    cwd: '/root',
    acts: [],
    elsewhere: async (script) => {
      const file = `step-${(steps += 1)}.sh`
      writeFileSync(join(host.machine.tree, 'root', file), `${prelude(host)}${script}`)
      return await host.machine.try(`cd /root && bash ${file}`)
    },
  })
}

/** What the reader has: credentials of two people, our KMS in the place of Amazon's, and what `provision` said. */
function prelude({ kms, vaultPort }: DatabaseHost): string {
  const endpoint = `--endpoint-url ${kms.kms.url.replace('127.0.0.1', 'localhost')}`
  return `
exec 2>&1
master_key=${found.masterKey}
keyring_id=${found.keyringId}
strongroom() {
  case "$*" in
    provision*|master-key*) AWS_SHARED_CREDENTIALS_FILE=/root/administrator command strongroom "$@" ${endpoint} ;;
    *--master-key-id*) command strongroom "$@" ${endpoint} --listen 127.0.0.1:${vaultPort} ;;
    *) command strongroom "$@" ;;
  esac
}
`
}

function at(): DatabaseHost {
  return made?.host ?? assert.fail('there is no machine')
}

async function bringAlong({ machine, kms }: DatabaseHost): Promise<void> {
  const root = join(machine.tree, 'root')
  cpSync(join(machine.tree, '../release.tar.gz'), join(root, 'strongroom-0.1.0.tar.gz'))
  cpSync(kms.administrator.credentialsFile, join(root, 'administrator'))
  // `ssh HOST COMMAND`: the administrator's computer is the same machine.
  writeFileSync(join(machine.tree, 'usr/local/bin/ssh'), '#!/bin/sh\nshift\nexec "$@"\n', { mode: 0o755 })
  await machine.run('mv /opt/strongroom/node_modules/node/bin/node /usr/local/bin/ && rm -r /opt/strongroom')
}

type Run = () => Promise<string>
type Sql = (statements: string) => Promise<string>

function step(section: string, act: (run: Run, sql: Sql, guide: Guide) => Promise<void>): void {
  test(section, { skip }, async (t) => {
    const { host, guide } = made ?? assert.fail('there is no machine')
    assert.equal(failed, '', 'it goes on where the steps before have led')
    try {
      await act(
        () => guide.run(section),
        (statements) => host.machine.run(`mariadb --batch --skip-column-names --execute "${statements}"`),
        guide,
      )
    } catch (error) {
      failed = section
      const journal = await host.machine.try('journalctl --no-pager --boot --lines=80')
      t.diagnostic(`the machine's journal:\n${journal.stdout}`)
      throw error
    }
  })
}
