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
  const policies = await run()
  assert.match(policies, /aws_kms_key/)
})

step('Configure the host', async (run) => {
  assert.match(await run(), /^nothing differs/m)
})

step('Start', async (run) => {
  assert.match(await run(), /^key 1, version 1/m)
})

step('Encrypt what was there before', async (run, sql) => {
  const left = made?.guide.next('Encrypt what was there before', 'sql') ?? ''
  await until('InnoDB has encrypted all', async () => (await sql(left)) === '0')
  await run()
  await sql(made?.guide.next('Encrypt what was there before', 'sql') ?? '')
})

step('Prove it', async (run) => {
  assert.match(await run(), /nothing/)
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
      writeFileSync(join(host.machine.tree, 'root/step.sh'), `${prelude(host)}${script}`)
      return await host.machine.try('cd /root && bash step.sh')
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

async function bringAlong({ machine, kms }: DatabaseHost): Promise<void> {
  const root = join(machine.tree, 'root')
  cpSync(join(machine.tree, '../release.tar.gz'), join(root, 'strongroom-0.1.0.tar.gz'))
  cpSync(kms.administrator.credentialsFile, join(root, 'administrator'))
  await machine.run('mv /opt/strongroom/node_modules/node/bin/node /usr/local/bin/ && rm -r /opt/strongroom')
  assert.ok(readFileSync(join(root, 'administrator'), 'utf8') !== '')
}

type Run = () => Promise<string>
type Sql = (statements: string) => Promise<string>

function step(section: string, act: (run: Run, sql: Sql) => Promise<void>): void {
  test(section, { skip }, async (t) => {
    const { host, guide } = made ?? assert.fail('there is no machine')
    try {
      await act(
        () => guide.run(section),
        (statements) => host.machine.run(`mariadb --batch --skip-column-names --execute "${statements}"`),
      )
    } catch (error) {
      const journal = await host.machine.try('journalctl --no-pager --boot --lines=80')
      t.diagnostic(`the machine's journal:\n${journal.stdout}`)
      throw error
    }
  })
}
