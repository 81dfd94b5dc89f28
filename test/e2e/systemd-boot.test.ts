import { DisableKeyCommand, EnableKeyCommand } from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { DatabaseHost } from '../support/machine/database-host.ts'
import { whyNoMachine } from '../support/machine/requirements.ts'
import { setUp } from '../support/machine/set-up.ts'
import { asAdministrator } from '../support/running-stack.ts'
import { until } from '../support/until.ts'

const skip = (await whyNoMachine()) ?? false
const agent = 'strongroom-agent.service'
const database = 'mariadb.service'
const salary = 'a confidential salary'
let made: DatabaseHost | undefined

before(async () => {
  if (skip !== false) return
  made = await DatabaseHost.create()
  await setUp(made, { listener: 'vault', credentials: 'file' })
})

after(async () => {
  await made?.remove()
})

step('a database that exists starts once its administrator has made the first key', async () => {
  const { machine } = host()
  await machine.run(`systemctl restart --no-block ${database}`)
  await until('the agent says what it waits for', async () =>
    (await status(agent)).includes('strongroom keys create 1'),
  )
  assert.equal(await machine.isActive(database), false)
  await machine.run('/opt/strongroom/bin/strongroom keys create 1')
  await until('MariaDB runs', () => machine.isActive(database))
  await assertInOrder()
})

step('what it writes is encrypted, and its user can read the key files', async () => {
  const { machine } = host()
  await sql('CREATE DATABASE payroll')
  await sql('CREATE TABLE payroll.salaries (note varchar(80)) ENGINE=InnoDB')
  await sql(`INSERT INTO payroll.salaries VALUES ('${salary}')`)
  await sql('FLUSH TABLES payroll.salaries FOR EXPORT')
  assert.equal((await machine.try('grep -q confidential /var/lib/mysql/payroll/salaries.ibd')).code, 1)
  const file = '/var/lib/mysql/aws-kms-key.1.1'
  assert.equal(await machine.run(`stat --format='%U %G %a' ${file}`), 'strongroom mysql 640')
  await machine.run(`setpriv --reuid mysql --regid mysql --clear-groups cat ${file}`)
})

step('the agent has no rights, no swap and no core files, and its environment no secret', async () => {
  const { machine } = host()
  const pid = await machine.property(agent, 'MainPID')
  const about = await machine.run(`cat /proc/${pid}/status /proc/${pid}/limits`)
  for (const line of [/^CapBnd:\s0+$/m, /^NoNewPrivs:\s1$/m, /^Seccomp:\s2$/m, /^Max core file size +0 +0 /m])
    assert.match(about, line)
  assert.match(await machine.run(`cat /proc/${pid}/coredump_filter`), /^0+$/)
  assert.equal(await machine.property(agent, 'MemorySwapMax'), '0')
  // Where the machine has that controller.
  const group = `/sys/fs/cgroup${await machine.property(agent, 'ControlGroup')}`
  assert.match(await machine.run(`cat ${group}/memory.swap.max 2>&1 || true`), /^0$|No such file/)
  const environment = await machine.run(`cat /proc/${pid}/environ`)
  assert.match(
    environment,
    /AWS_SHARED_CREDENTIALS_FILE=\/run\/credentials\/strongroom-agent.service\/aws-credentials/,
  )
  assert.doesNotMatch(environment, /AWS_SECRET_ACCESS_KEY/)
  const memory = await machine.run(`cat /proc/${pid}/maps`)
  assert.match(memory, / r-xp /)
  assert.doesNotMatch(memory, / .wxp /)
})

step('the agent can run nothing that it can write, and write nothing but what it must', async () => {
  const { machine } = host()
  const pid = await machine.property(agent, 'MainPID')
  const mounts = (await machine.run(`cat /proc/${pid}/mountinfo`)).split('\n').map((line) => line.split(' '))
  const optionsOf = (path: string) => mounts.findLast((mount) => mount[4] === path)?.[5]?.split(',') ?? []
  assert.ok(optionsOf('/').includes('ro'))
  for (const path of ['/var/lib/mysql', '/run/strongroom', '/run', '/tmp', '/var/tmp', '/dev/shm'])
    assert.ok(optionsOf(path).includes('noexec'), `${path} ${optionsOf(path).join()}`)
  for (const path of ['/var/lib/mysql', '/run/strongroom']) assert.ok(optionsOf(path).includes('rw'), path)
})

step('systemd finds nothing to say about the units as they are installed, and little exposure', async () => {
  const { machine } = host()
  const { code, stdout, stderr } = await machine.try(`systemd-analyze verify --man=no ${agent} ${database}`)
  assert.deepEqual([code, stdout, stderr], [0, '', ''])
  const said = await machine.run(`systemd-analyze security --offline=yes --no-pager ${agent}`)
  const [, exposure] = /Overall exposure level for strongroom-agent\.service: (\d+\.\d)/.exec(said) ?? []
  assert.ok(Number(exposure) > 0 && Number(exposure) <= 2, exposure)
})

step('a crash of the agent leaves MariaDB running, and the agent comes back', async () => {
  const { machine } = host()
  const [before, server] = [await pidOf(agent), await pidOf(database)]
  await machine.run(`systemctl kill --signal=KILL ${agent}`)
  await until(
    'the agent is back',
    async () => (await machine.isActive(agent)) && (await pidOf(agent)) !== before,
  )
  assert.equal(await pidOf(database), server)
  await assertReadable()
})

step('an agent that is restarted, as for an upgrade, leaves MariaDB running', async () => {
  const { machine } = host()
  const server = await pidOf(database)
  await machine.run(`systemctl restart ${agent}`)
  await machine.run(`systemctl reload ${agent}`)
  assert.equal(await pidOf(database), server)
  await assertReadable()
})

step('MariaDB that is restarted brings an agent along that was stopped, and waits for it', async () => {
  const { machine } = host()
  await machine.run(`systemctl stop ${agent}`)
  assert.equal(await machine.isActive(database), true)
  await machine.run(`systemctl restart ${database}`)
  await assertInOrder()
  await assertReadable()
})

step(
  'while the master key is disabled the start of both waits, and systemctl status says for what',
  async () => {
    const { machine, kms } = host()
    const KeyId = kms.masterKeyArn
    await asAdministrator(kms, (client) => client.send(new DisableKeyCommand({ KeyId })))
    await machine.run(`systemctl restart --no-block ${agent}`)
    await until('the agent says what it waits for', async () =>
      (await machine.property(agent, 'StatusText')).includes('to be enabled'),
    )
    assert.equal(await machine.isActive(database), true)
    await machine.run(`systemctl restart --no-block ${database}`)
    await until('MariaDB is stopped', async () => (await pidOf(database)) === '0')
    assert.equal(await machine.property(agent, 'ActiveState'), 'activating')
    assert.match(await status(agent), new RegExp(`Status: ".*waiting for master key ${KeyId} to be enabled`))
    assert.match(await machine.run('systemctl list-jobs'), /mariadb\.service +start +waiting/)
    await asAdministrator(kms, (client) => client.send(new EnableKeyCommand({ KeyId })))
    await until('MariaDB runs', () => machine.isActive(database))
    await assertInOrder()
    await assertReadable()
  },
)

step('where the agent cannot start, MariaDB does not, and systemctl status says why', async () => {
  const { machine } = host()
  const config = '/etc/strongroom/agent.conf'
  await machine.run(`systemctl stop ${database} ${agent}`)
  await machine.run(`sed -i.good 's/^store /stores /' ${config}`)
  const { code, stderr } = await machine.try(`systemctl start ${database}`)
  assert.equal(code, 1)
  assert.match(stderr, /systemctl status mariadb\.service/)
  const reason = '[keyring mariadb] store: is missing'
  assert.match(await status(database), /MariaDB is not started: strongroom-agent\.service, .* is not ready/)
  assert.ok((await status(database)).includes(reason))
  await until('the agent says so, too', async () =>
    (await status(agent)).includes(`Status: "${config}: ${reason}"`),
  )
  await machine.run(`mv ${config}.good ${config}`)
  await machine.run(`systemctl start ${database}`)
  await assertReadable()
})

step('after a reboot both are up, in order, and were stopped in order', async () => {
  const { machine } = host()
  await machine.reboot()
  await until('MariaDB runs', () => machine.isActive(database))
  await assertInOrder()
  await assertReadable()
  const journal = await machine.run('journalctl --boot=-1 --no-pager --output=cat _PID=1')
  const stopped = journal.lastIndexOf('Stopped mariadb.service')
  assert.ok(stopped > 0 && stopped < journal.lastIndexOf('Stopping strongroom-agent.service'))
})

step('through the plugin listener, with credentials that this host alone can decrypt', async () => {
  const { machine } = host()
  await setUp(host(), { listener: 'plugin', credentials: 'encrypted' })
  await machine.run(`systemctl restart ${agent} ${database}`)
  await assertInOrder()
  await assertReadable()
  assert.match(await sql('SHOW PLUGINS'), /^aws_key_management\sACTIVE/m)
  assert.doesNotMatch(
    await machine.run('cat /etc/strongroom/aws-credentials.encrypted'),
    /aws_secret_access_key/,
  )
  await machine.run(`systemctl kill --signal=KILL ${agent}`)
  await until('the agent is back', () => machine.isActive(agent))
  await sql('CREATE TABLE payroll.more (n int) ENGINE=InnoDB ENCRYPTION_KEY_ID=7')
})

step('with credentials in an environment file, as the guide has them', async () => {
  const { machine } = host()
  await setUp(host(), { listener: 'plugin', credentials: 'environment-file' })
  await machine.reboot()
  await until('MariaDB runs', () => machine.isActive(database))
  await assertInOrder()
  await assertReadable()
})

function host(): DatabaseHost {
  return made ?? assert.fail('there is no machine')
}

async function sql(statement: string): Promise<string> {
  return await host().machine.run(`mariadb --batch --skip-column-names --execute "${statement}"`)
}

async function assertReadable(): Promise<void> {
  assert.equal(await sql('SELECT note FROM payroll.salaries'), salary)
}

async function pidOf(unit: string): Promise<string> {
  return await host().machine.property(unit, 'MainPID')
}

async function status(unit: string): Promise<string> {
  return (await host().machine.try(`systemctl status --no-pager --full --lines=30 ${unit}`)).stdout
}

/** The database was begun when the agent had said that it is ready. */
async function assertInOrder(): Promise<void> {
  const { machine } = host()
  const ready = BigInt(await machine.property(agent, 'ActiveEnterTimestampMonotonic'))
  const begun = BigInt(await machine.property(database, 'ExecMainStartTimestampMonotonic'))
  assert.ok(ready > 0n && ready <= begun, `the agent was ready at ${ready}, MariaDB begun at ${begun}`)
}

/** A test that goes on where the one before has left the machine. */
function step(name: string, act: () => Promise<void>): void {
  test(name, { skip }, async (t) => {
    try {
      await act()
    } catch (error) {
      const journal = await made?.machine.try('journalctl --no-pager --boot --lines=80')
      t.diagnostic(`the machine's journal:\n${journal?.stdout ?? ''}`)
      t.diagnostic(`its console:\n${made?.machine.console().slice(-4000) ?? ''}`)
      throw error
    }
  })
}
