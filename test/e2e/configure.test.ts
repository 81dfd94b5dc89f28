import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { type Daemon, startDaemon } from '../../src/cli/demo/daemon.ts'
import { freePort } from '../../src/cli/demo/free-port.ts'
import { type Child, startChild } from '../../src/mariadb/child.ts'
import { builtPlugin } from '../support/built-plugin.ts'
import { agentStack } from '../support/running-stack.ts'
import { noOwnHost, OwnHost } from '../support/own-host.ts'
import { program } from '../support/strongroom.ts'
import { until } from '../support/until.ts'
import type { Stack } from '../../src/cli/demo/stack.ts'
import type { ListenerName } from '../support/each-listener.ts'

/*
 * `strongroom mariadb configure` on a host of its own: the machine's programs, and /etc, /var/lib, /run as the command and the servers
 * find them on a database host. Nothing of it is left on the machine.
 */

const skip = noOwnHost() ?? false
const optionFile = '/etc/mysql/mariadb.conf.d/99-strongroom.cnf'
const terminal = join(import.meta.dirname, 'kms-terminal.py')
const marker = 'no-one-reads-this-on-the-disk'
const programs = [
  'mariadbd',
  'mariadb',
  'mariadb-admin',
  'mariadb-backup',
  'mariadb-dump',
  'mariadb-check',
  'mariadb-binlog',
]

let kms: Stack

before(async () => {
  if (skip === false) kms = await agentStack()
})

after(async () => {
  if (skip === false) await kms.remove()
})

for (const listener of ['vault', 'plugin'] as const) {
  suite(`mariadb configure for the ${listener} listener`, { skip }, () => {
    declare(listener)
  })
}

function declare(listener: ListenerName): void {
  let directory: string
  let host: OwnHost
  let options: string[]
  let agent: Daemon | undefined
  let server: Child | undefined

  const configure = (...more: string[]) => host.strongroom(['mariadb', 'configure', ...more])
  const token = () => host.do('head -n 1 /etc/strongroom/mariadb.token').trim()
  const sql = (statement: string) =>
    host.run(['mariadb', '--user=root', '--batch', '--skip-column-names', '-e', statement])

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'strongroom-host-'))
    chmodSync(directory, 0o711)
    host = await OwnHost.start(directory)
    // What this host's administrator set before us.
    host.do(`cat > /etc/mysql/mariadb.conf.d/60-site.cnf <<END
[mariadbd]
skip-networking
innodb-buffer-pool-size = 32M
innodb-log-file-size = 8M
innodb-encryption-threads = 2
log-bin = /var/lib/mysql/binlog
END`)
    options = [
      ...['--listener', listener, '--master-key-id', kms.masterKeyArn, '--region', 'us-east-1'],
      ...['--endpoint-url', kms.kms.url],
      ...(listener === 'vault'
        ? ['--listen', `127.0.0.1:${await freePort()}`]
        : ['--plugin-file', builtPlugin()]),
    ]
  })

  after(async () => {
    server?.kill('SIGTERM')
    await server?.exited
    await agent?.stop()
    await host.end()
    rmSync(directory, { recursive: true })
  })

  if (listener === 'vault') {
    test('without a terminal it asks for --yes; --dry-run and --check change nothing', () => {
      const unasked = configure(...options)
      assert.equal(unasked.code, 2)
      assert.match(unasked.stderr, /--yes, --dry-run or --check \[SR_USAGE\]/)
      const before = writtenFiles(directory)
      const dry = configure(...options, '--dry-run')
      assert.equal(dry.code, 0, dry.stderr)
      assert.match(dry.stdout, /^\+\+\+ \/etc\/strongroom\/agent\.conf \(0640 root:strongroom\)$/m)
      assert.equal(configure(...options, '--check').code, 1)
      assert.deepEqual(writtenFiles(directory), before)
    })

    test('at a terminal it asks, and a no changes nothing', () => {
      const before = writtenFiles(directory)
      for (const answer of ['n', '', '\u0004']) {
        const command = [program, 'mariadb', 'configure', ...options]
        const { stdout } = host.run(['python3', terminal, JSON.stringify([answer]), ...command])
        assert.match(
          stdout,
          /Change this\? \[y\/N\]: [^]*strongroom: nothing was changed\r\n$/,
          JSON.stringify(answer),
        )
      }
      assert.deepEqual(writtenFiles(directory), before)
    })
  }

  test('it writes every piece, and shows no token', () => {
    host.do(`install -d -m 750 /etc/strongroom
      install -m 600 ${kms.user.credentialsFile} /etc/strongroom/aws-credentials`)
    const { code, stdout, stderr } = host.run(
      listener === 'vault'
        ? ['python3', terminal, '["y"]', program, 'mariadb', 'configure', ...options]
        : [program, 'mariadb', 'configure', ...options, '--yes'],
    )
    assert.equal(code, 0, stderr)
    if (listener === 'vault') {
      assert.match(token(), /^[0-9a-f]{64}$/)
      assert.ok(!`${stdout}${stderr}`.includes(token()))
      assert.match(stdout, /^\+hashicorp-key-management-token = "\(new secret\)"\r?$/m)
    }
    assert.deepEqual(
      host
        .do(`stat -c '%A %U:%G %n' /etc/strongroom /etc/strongroom/* ${optionFile} /var/lib/mysql-files`)
        .trimEnd()
        .split('\n'),
      [
        'drwxr-x--- root:strongroom /etc/strongroom',
        '-rw-r----- root:strongroom /etc/strongroom/agent.conf',
        '-rw------- root:root /etc/strongroom/aws-credentials',
        ...(listener === 'vault' ? ['-rw-r----- root:strongroom /etc/strongroom/mariadb.token'] : []),
        `-rw-r----- root:mysql ${optionFile}`,
        'drwxr-x--- mysql:mysql /var/lib/mysql-files',
      ],
    )
    // Kept: the administrator's own value.
    assert.doesNotMatch(host.do(`cat ${optionFile}`), /innodb-encryption-threads/)
  })

  test('the option file parses with every program, whoever runs it', () => {
    for (const user of ['root', 'mysql:mysql', 'nobody:nogroup']) {
      for (const name of programs) {
        const { code, stderr } = host.run([name, ...(name === 'mariadbd' ? ['--verbose'] : []), '--help'], {
          as: user,
        })
        assert.equal(code, 0, `${name} as ${user}: ${stderr}`)
        assert.doesNotMatch(stderr, /unknown (variable|option)|denied|\[ERROR\]/i, `${name} as ${user}`)
      }
    }
    // Those that are not run with --help: it says nothing of option files, and ends with 1 whatever they say.
    const printed = host.do(`mariadb-upgrade --print-defaults; mariadb-backup --print-defaults`)
    assert.match(printed, /--innodb-encrypt-tables=FORCE/)
    // What a wrong group would do.
    host.do(`sed 's/^\\[mariadb\\]/[client-server]/' ${optionFile} > /run/wrong.cnf`)
    assert.match(host.run(['mariadb', '--defaults-file=/run/wrong.cnf', '--help']).stderr, /unknown variable/)
  })

  test('agent and server run with what was written, and the data is encrypted', async () => {
    host.do(`install -d -m 711 -o strongroom -g strongroom /run/strongroom
      install -m 400 -o strongroom /etc/strongroom/aws-credentials /run/aws-credentials`)
    agent = await startDaemon({
      args: ['agent'],
      directory,
      name: 'agent',
      // As the unit has it.
      wrapper: host.command(['setpriv', '--reuid=strongroom', '--regid=strongroom', '--groups=mysql']),
      environment: { AWS_SHARED_CREDENTIALS_FILE: '/run/aws-credentials' },
    })
    host.do('mariadb-install-db --auth-root-authentication-method=normal --skip-test-db', {
      as: 'mysql:mysql',
      environment: { MALLOC_PERTURB_: '165' },
    })
    const [command = '', ...args] = host.command(['mariadbd'], { as: 'mysql:mysql' })
    server = await startChild([command, args], join(directory, 'server.log'), { MALLOC_PERTURB_: '165' })
    await until('the server answers', () => sql('SELECT 1').code === 0)
    const made = sql(`CREATE DATABASE d; CREATE TABLE d.t (v VARCHAR(100)) ENCRYPTION_KEY_ID=3;
      INSERT INTO d.t VALUES ('${marker}'); FLUSH TABLES d.t FOR EXPORT; UNLOCK TABLES; SELECT v FROM d.t`)
    assert.equal(made.stdout, `${marker}\n`, made.stderr)
    assert.equal(host.run(['grep', '-rlF', marker, '/var/lib/mysql']).stdout, '')
    assert.match(
      sql(
        "SELECT CURRENT_KEY_ID, MIN_KEY_VERSION FROM information_schema.INNODB_TABLESPACES_ENCRYPTION WHERE NAME='d/t'",
      ).stdout,
      /^3\t1$/m,
    )
    assert.equal(sql('SELECT @@secure_file_priv').stdout, '/var/lib/mysql-files/\n')
    assert.equal(sql(`SELECT LOAD_FILE('${optionFile}') IS NULL`).stdout, '1\n')
  })

  test('the server’s user reads the wrapped keys that the agent made, as state transfers do', () => {
    const files = host.do("stat -c '%A %U:%G %n' /var/lib/mysql/aws-kms-key.*").trimEnd().split('\n')
    assert.ok(files.length >= 4, files.join('\n'))
    for (const file of files) assert.match(file, /^-rw-r----- strongroom:mysql /)
    host.do('cat /var/lib/mysql/aws-kms-key.* > /dev/null', { as: 'mysql:mysql' })
    assert.notEqual(host.run(['cat', '/var/lib/mysql/aws-kms-key.1.1'], { as: 'nobody:nogroup' }).code, 0)
  })

  test('clients and tools work with it, for ordinary users too', () => {
    for (const user of ['root', 'nobody:nogroup']) {
      for (const command of [
        ['mariadb', '--user=root', '-e', 'SELECT 1'],
        ['mariadb-admin', '--user=root', 'ping'],
        ['mariadb-dump', '--user=root', 'd'],
        ['mariadb-check', '--user=root', 'd'],
      ]) {
        const { code, stderr } = host.run(command, { as: user })
        assert.equal(code, 0, `${command.join(' ')} as ${user}: ${stderr}`)
      }
    }
    host.do('mariadb-upgrade --user=root')
  })

  test('mariadb-backup makes and prepares a backup, as docs/mariadb-configure.md has it', () => {
    const [backup] = blocksOf('docs/mariadb-configure.md', /^## Backups/m)
    host.do(backup?.text ?? assert.fail('no block'))
    assert.ok(host.do('ls /var/lib/backup').includes('aws-kms-key.keyring.json'))
    const words = host.do('cat /var/lib/backup/backup-my.cnf')
    if (listener === 'vault') assert.ok(!words.includes(token()))
  })

  if (listener === 'vault') {
    test('encrypted data whose keys are not there is a contradiction, though their manifest is', () => {
      host.do('mkdir -p /run/away; mv /var/lib/mysql/aws-kms-key.[0-9]* /run/away')
      const { code, stderr } = configure('--check')
      host.do('mv /run/away/* /var/lib/mysql')
      assert.equal(code, 1)
      assert.match(
        stderr,
        /is encrypted, and no aws-kms-key\.\* file lies in \/var\/lib\/mysql.*\[SR_DEPLOY_CONTRADICTION\]/,
      )
    })
  }

  test('--check names whatever is otherwise, and configure puts it right', () => {
    assert.deepEqual(configure('--check'), { code: 0, stdout: 'everything is as it must be\n', stderr: '' })
    const units = '/etc/systemd/system'
    const plugin = listener === 'plugin' ? ['--plugin-file', builtPlugin()] : []
    const changedOptions: [string, string] = [
      `sed -i 's/encrypt-log = .*/encrypt-log = "OFF"/' ${optionFile}`,
      `${optionFile} has other content`,
    ]
    const rounds: [change: string, named: string][][] =
      listener === 'plugin'
        ? [
            [
              [
                'echo x >> /usr/lib/mysql/plugin/aws_key_management.so',
                '/usr/lib/mysql/plugin/aws_key_management.so has other content',
              ],
              changedOptions,
            ],
          ]
        : [
            [
              [
                'chmod 750 /etc/strongroom/agent.conf',
                '/etc/strongroom/agent.conf has mode 0750, must have 0640',
              ],
              [
                'chmod 640 /etc/strongroom/aws-credentials',
                '/etc/strongroom/aws-credentials has mode 0640, must have 0600',
              ],
              [
                'setfacl -x u:strongroom /var/lib/mysql',
                '/var/lib/mysql does not grant strongroom rwx in its access list',
              ],
              [
                'echo >> /etc/tmpfiles.d/strongroom.conf',
                '/etc/tmpfiles.d/strongroom.conf has other content',
              ],
              [
                `echo > ${units}/strongroom-agent.service.d/group.conf`,
                `${units}/strongroom-agent.service.d/group.conf is there, and must not be`,
              ],
              [`rm ${units}/strongroom-agent.service`, `${units}/strongroom-agent.service is missing`],
              [
                `rm ${units}/multi-user.target.wants/strongroom-agent.service`,
                `${units}/multi-user.target.wants/strongroom-agent.service is missing (a link to ${units}/strongroom-agent.service)`,
              ],
              ['rmdir /var/lib/mysql-files', '/var/lib/mysql-files is missing'],
              [
                `chown mysql ${units}/mariadb.service.d/strongroom.conf`,
                `${units}/mariadb.service.d/strongroom.conf belongs to mysql:root, must belong to root:root`,
              ],
              changedOptions,
            ],
            [
              [
                'chgrp root /etc/strongroom',
                '/etc/strongroom belongs to root:root, must belong to root:strongroom',
              ],
              [
                'chmod 700 /var/lib/mysql',
                '/var/lib/mysql does not grant strongroom rwx in its access list: rwx, of which its mask leaves ---',
              ],
              [
                `ln -sf /dev/null ${units}/multi-user.target.wants/strongroom-agent.service`,
                `${units}/multi-user.target.wants/strongroom-agent.service leads to /dev/null, must lead to ${units}/strongroom-agent.service`,
              ],
              ['chmod 777 /var/lib/mysql-files', '/var/lib/mysql-files has mode 0777, must have 0750'],
              [`rm ${optionFile}`, `${optionFile} is missing`],
            ],
          ]
    for (const round of rounds) {
      host.do(round.map(([change]) => change).join('\n'))
      const checked = configure('--check', ...plugin, '--listener', listener)
      assert.equal(checked.code, 1)
      assert.deepEqual(
        checked.stdout.trimEnd().split('\n'),
        round.map(([, named]) => named),
      )
      const mended = configure('--yes', ...plugin, '--listener', listener)
      assert.equal(mended.code, 0, mended.stderr)
    }
    assert.equal(configure('--check', ...plugin).stdout, 'everything is as it must be\n')
  })

  if (listener === 'vault') {
    test('another user can check what that user may see, and is told what not', () => {
      host.do('chmod 755 /var/lib/mysql-files')
      const { code, stdout } = host.strongroom(['mariadb', 'configure', '--check'], { as: 'nobody:nogroup' })
      assert.equal(code, 1)
      assert.match(stdout, /^\/var\/lib\/mysql-files has mode 0755, must have 0750$/m)
      assert.match(stdout, /^\/etc\/strongroom\/agent\.conf: not checked: /m)
      assert.match(stdout, /99-strongroom\.cnf: not checked: /)
      assert.doesNotMatch(stdout, /mariadb\.service\.d\/strongroom\.conf/)
      const refused = host.strongroom(['mariadb', 'configure', '--yes'], { as: 'nobody:nogroup' })
      assert.match(refused.stderr, /only root can change this.*\[SR_DEPLOY_IMPOSSIBLE\]/)
      assert.equal(configure('--yes').code, 0)
    })

    test('other wishes change agent.conf where they must, and leave what others wrote', () => {
      host.do(
        "sed -i 's/^region/# close to us\\nregion/; s/^\\[agent\\]/[agent]\\nlog-level = debug/' /etc/strongroom/agent.conf",
      )
      const former = host.do('cat /etc/strongroom/agent.conf')
      assert.equal(configure('--check').code, 0)
      const { code, stdout, stderr } = configure('--master-key-id', 'alias/other', '--json', '--yes')
      assert.equal(code, 0, stderr)
      const answer: unknown = JSON.parse(stdout)
      assert.partialDeepStrictEqual(answer, {
        listener,
        keyring: 'mariadb',
        differences: [{ piece: '/etc/strongroom/agent.conf', kind: 'file', what: 'has other content' }],
        notChecked: [],
      })
      assert.equal(host.do('cat /etc/strongroom/agent.conf'), former.replace(kms.masterKeyArn, 'alias/other'))
      host.do(`sed -i 's,alias/other,${kms.masterKeyArn},' /etc/strongroom/agent.conf`)
    })

    test('a new token stands before the former, which still opens', async () => {
      const former = token()
      const { code, stdout, stderr } = configure('--new-token', '--yes')
      assert.equal(code, 0, stderr)
      assert.match(stderr, /then: systemctl reload strongroom-agent\n.*then: systemctl restart mariadb\n/)
      assert.notEqual(token(), former)
      assert.ok(!`${stdout}${stderr}`.includes(token()) && !`${stdout}${stderr}`.includes(former))
      assert.equal(host.do('cat /etc/strongroom/mariadb.token'), `${token()}\n${former}\n`)
      assert.ok(host.do(`cat ${optionFile}`).includes(token()))
      if (agent === undefined) throw new Error('no agent')
      process.kill(agent.pid, 'SIGHUP')
      const url = host.do(`sed -n 's/.*vault-url = "\\(.*\\)"/\\1/p' ${optionFile}`).trim()
      await until('both tokens open the keyring', async () => {
        const answers = [token(), former].map((each) =>
          fetch(`${url}/data/1`, { headers: { 'X-Vault-Token': each } }),
        )
        return (await Promise.allSettled(answers)).every(
          (answer) => answer.status === 'fulfilled' && answer.value.ok,
        )
      })
      assert.equal(configure('--check').code, 0)
    })
  }

  test('undone as docs/mariadb-configure.md has it, the server runs without keys on data in the clear', async () => {
    const startServer = async () => {
      const [command = '', ...args] = host.command(['mariadbd'], { as: 'mysql:mysql' })
      server = await startChild([command, args], join(directory, 'server.log'), { MALLOC_PERTURB_: '165' })
      await until('the server answers', () => sql('SELECT 1').code === 0)
    }
    const stopServer = async () => {
      server?.kill('SIGTERM')
      await server?.exited
    }
    const acts = new Map<string, () => Promise<void>>([
      [
        'systemctl restart mariadb',
        async () => {
          await stopServer()
          await startServer()
        },
      ],
      ['systemctl stop mariadb', stopServer],
      ['systemctl start mariadb', startServer],
      [
        'systemctl stop strongroom-agent',
        async () => {
          await agent?.stop()
          agent = undefined
        },
      ],
      ['systemctl daemon-reload', () => Promise.resolve()],
    ])
    for (const { language, text } of blocksOf('docs/mariadb-configure.md', /^## Undo/m)) {
      if (language === 'sql' && text.includes('COUNT(*)')) {
        await until('nothing is encrypted', () => sql(text).stdout === '0\n')
      } else if (language === 'sql') {
        const printed = sql(text)
        assert.equal(printed.code, 0, printed.stderr)
        const done = sql(printed.stdout)
        assert.equal(done.code, 0, done.stderr)
      } else await runScript(text, acts)
    }
    assert.equal(sql('SELECT v FROM d.t').stdout, `${marker}\n`)
    assert.match(host.do('grep -rlF -- "$0" /var/lib/mysql || true'.replace('$0', marker)), /d\/t\.ibd/)
    assert.equal(host.run(['ls', '/etc/strongroom']).code, 2)
    assert.equal(host.do('ls -A /etc/systemd/system/mariadb.service.d').trim(), '')
    await stopServer()
  })

  /** A block of the page; lines of systemd are acted by the test. */
  async function runScript(text: string, acts: ReadonlyMap<string, () => Promise<void>>): Promise<void> {
    const pending: string[] = []
    for (const line of [...text.trimEnd().split('\n'), '']) {
      const act = acts.get(line)
      if (act === undefined && line !== '') {
        pending.push(line)
        continue
      }
      host.do(pending.splice(0).join('\n'))
      await act?.()
    }
  }
}

/** The code blocks of a page from a heading on. */
function blocksOf(page: string, from: RegExp): { language: string; text: string }[] {
  const document = readFileSync(join(import.meta.dirname, '../..', page), 'utf8')
  const blocks = document.slice(document.search(from)).matchAll(/^```(sh|sql)\n([^]*?)^```$/gm)
  return [...blocks].map(([, language = '', text = '']) => ({ language, text }))
}

/** What the host wrote into the folders of its own. */
function writtenFiles(directory: string): string[] {
  const upper = join(directory, 'upper')
  return readdirSync(upper, { recursive: true, encoding: 'utf8' }).sort()
}
