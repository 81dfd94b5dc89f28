import assert from 'node:assert/strict'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { readAuditTrail, type AuditRecord } from '../../src/cli/demo/audit-summary.ts'
import { type Daemon, startDaemon } from '../../src/cli/demo/daemon.ts'
import { commandFor, serverAccount } from '../../src/mariadb/account.ts'
import { lengthOfLog } from '../../src/mariadb/error-log.ts'
import { makePluginFolder } from '../../src/mariadb/plugin-folder.ts'
import { findProgram } from '../../src/mariadb/programs.ts'
import { prepareServer, type PreparedServer, type RunningServer } from '../../src/mariadb/server.ts'
import { builtPlugin } from '../support/built-plugin.ts'
import { Guide } from '../support/guide.ts'
import { startKms, type KmsProcess } from '../support/kms-process.ts'
import { scratchDirectory } from '../support/scratch.ts'
import { program } from '../support/strongroom.ts'

/*
 * The setup guide of MariaDB's AWS KMS plugin as docs/old-plugin-guide.md has it, step by step. The CLI of the distribution stands
 * for the web pages, `strongroom kms` for Amazon, and a private server for the machine's.
 */

const aws = '/usr/bin/aws'
const skip = existsSync(aws) ? false : `the distribution's AWS CLI (${aws}) is not installed`
const optionFile = '/etc/mysql/mariadb.conf.d/encryption.cnf'
const repository = join(import.meta.dirname, '../..')

test('the setup guide of the old plugin, step by step', { skip }, async (t) => {
  const { guide, host, trail } = await start(t)

  await t.test('the plugin is built and installed', async () => {
    await guide.run('Install the plugin')
    assert.ok(existsSync(join(host.pluginFolder, 'aws_key_management.so')))
  })

  await t.test('a user is created, and its access key', async () => {
    assert.match(await guide.run('Create an IAM user'), /arn:aws:iam::111122223333:user\/MDBEnc/)
    const file = host.at('/etc/strongroom/credentials')
    assert.equal(statSync(file).mode & 0o777, 0o600)
    assert.match(
      readFileSync(file, 'utf8'),
      /^\[default\]\naws_access_key_id = AKIA\w{16}\naws_secret_access_key = \S{40}\nregion = us-east-1\n$/,
    )
  })

  await t.test('the master key: the user may use it, and not administer it', async () => {
    await guide.run('Create a master encryption key')
    const asUser = `export AWS_SHARED_CREDENTIALS_FILE=${host.at('/etc/strongroom/credentials')}\n`
    const key = '--key-id alias/mariadb-encryption'
    const described = await guide.shell(`${asUser} aws kms describe-key ${key}`)
    assert.match(described.stdout, /"Description": "MariaDB at rest"/)
    assert.equal(
      (await guide.shell(`${asUser} aws kms generate-data-key-without-plaintext ${key} --key-spec AES_256`))
        .code,
      0,
    )
    const id = /"KeyId": "([^"]+)"/.exec(described.stdout)?.[1] ?? ''
    const refused = await guide.shell(`${asUser} aws kms disable-key --key-id ${id}`)
    assert.match(refused.stderr, /AccessDeniedException/)
  })

  await t.test('its ARN', async () => {
    const arn = await guide.run('Create a master encryption key')
    assert.match(arn, /^arn:aws:kms:us-east-1:111122223333:key\/[-0-9a-f]{36}\n$/)
    host.masterKeyArn = arn.trim()
  })

  await t.test('the credentials file in the home of the data directory', async () => {
    await host.initialise()
    await guide.run('Configure AWS credentials')
    assert.ok(existsSync(join(host.dataDirectory, '.aws/credentials')))
  })

  await t.test('the agent has its configuration and runs', async () => {
    host.write('/etc/strongroom/agent.conf', guide.next('Configure the agent', 'ini'))
    await guide.run('Configure the agent')
    assert.ok(existsSync(host.socket))
  })

  await t.test('the option file', () => {
    host.configure(guide.next('Configure MariaDB', 'ini'))
  })

  await t.test('a database without keys: the start is refused and says what to do', async () => {
    await assert.rejects(guide.run('Start MariaDB'), { code: 'SR_MARIADB_START' })
    const said = guide.next('Start MariaDB', 'text').trim()
    assert.ok(host.newLog().includes(said), host.newLog())
  })

  await t.test('the start, and its log lines in their order', async () => {
    assert.equal(await guide.run('Start MariaDB'), 'key 1, version 1, 256 bit\n')
    assertInOrder(host.newLog(), guide.next('Start MariaDB', 'text'))
    assert.deepEqual(generated(host.newLog()), ['2.1'])
  })

  await t.test('the two key files', async () => {
    const listed = await guide.run('Start MariaDB')
    const names = [...listed.matchAll(/\/aws-kms-key\.(\S+)$/gm)].map(([, name]) => name)
    assert.deepEqual(names, ['1.1', '2.1', 'keyring.json'])
  })

  await t.test(
    'an empty data directory, filled by mariadb-install-db and encrypted from the first byte',
    async () => {
      const shown = await guide.run('Start from an empty data directory')
      const log = shown + host.newLog()
      assertInOrder(log, guide.next('Start from an empty data directory', 'text'))
      assert.deepEqual(generated(log), ['1.1', '2.1'])
    },
  )

  await t.test('innodb-encrypt-tables=ON encrypts by default, ENCRYPTION_KEY_ID=3 makes key 3', async () => {
    await host.sql(guide.next('Create encrypted tables', 'sql'))
    assertInOrder(host.newLog(), guide.next('Create encrypted tables', 'text'))
    assert.match(await guide.run('Create encrypted tables'), /aws-kms-key\.3\.1$/m)
    assert.equal(await host.keyOf('t0'), 1)
    assert.equal(await host.keyOf('t1'), 3)
  })

  await t.test('innodb_default_encryption_key_id', async () => {
    await host.sql(guide.next('Create encrypted tables', 'sql'))
    assert.equal(generated(host.newLog()).at(-1), '4.1')
    assert.equal(await host.keyOf('t2'), 4)
  })

  await t.test('ON lets a table be left in the clear, FORCE does not', async () => {
    await host.sql(guide.next('Create encrypted tables', 'sql'))
    assert.equal(await host.keyOf('t3'), undefined)
    await guide.run('Create encrypted tables')
    await assert.rejects(
      host.sql(guide.next('Create encrypted tables', 'sql')),
      /ENCRYPTED|Can't create table/,
    )
    for (const name of ['t0', 't1', 't2'])
      await host.server.query(`INSERT INTO test.${name} (v) VALUES ('kept')`)
  })

  await t.test(
    'a restart of server and agent: KMS decrypts each key once; the ARN does for the alias',
    async () => {
      const before = trail().length
      await host.stop()
      host.replaceOption('alias/mariadb-encryption', host.masterKeyArn)
      await host.startAgent()
      await host.start()
      for (const name of ['t0', 't1', 't2']) {
        assert.deepEqual(await host.server.query(`SELECT v FROM test.${name}`), [{ v: 'kept' }])
      }
      const calls = trail()
        .slice(before)
        .map(({ eventName, requestParameters }) => `${eventName} ${keyIdIn(requestParameters)}`)
      assert.deepEqual(calls.sort(), ['Decrypt 1', 'Decrypt 2', 'Decrypt 3', 'Decrypt 4'])
      assert.deepEqual(generated(host.newLog()), [])
      const [row] = await host.server.query('SELECT @@aws_key_management_master_key_id AS id')
      assert.equal(row?.['id'], host.masterKeyArn)
    },
  )

  await t.test('a restart of the server alone: KMS is not asked at all', async () => {
    const before = trail().length
    await host.stop()
    await host.start()
    await host.server.query('SELECT v FROM test.t1')
    assert.equal(trail().length, before)
  })

  await t.test('the page has no command that was not run', () => {
    assert.deepEqual(guide.left, [])
  })
})

interface Started {
  readonly kms: KmsProcess
  readonly guide: Guide
  readonly host: Host
  readonly trail: () => AuditRecord[]
}

async function start(t: TestContext): Promise<Started> {
  const scratch = scratchDirectory(t)
  chmodSync(scratch, 0o711)
  const kmsDirectory = join(scratch, 'kms')
  const kms = await startKms(t, { directory: kmsDirectory })
  const host = await Host.make(scratch, kms.url)
  t.after(() => host.remove())
  const guide = new Guide({
    file: join(repository, 'docs/old-plugin-guide.md'),
    paths: host.paths,
    cwd: repository,
    environment: {
      PATH: `${dirname(program)}:${dirname(process.execPath)}:/usr/bin:/bin`,
      HOME: join(scratch, 'home'),
      AWS_SHARED_CREDENTIALS_FILE: join(kmsDirectory, 'root-access-key'),
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_EC2_METADATA_DISABLED: 'true',
    },
    prelude: `
      aws() { ${aws} --endpoint-url ${kms.url} --no-cli-pager "$@"; }
      sudo() {
        [ "$1 $2 $3" = '-u mysql mariadb-install-db' ]
        (cd / && ${host.installCommand} "\${@:4}" 2>&1)
      }
      strongroom() { command strongroom "$@" --config ${host.at('/etc/strongroom/agent.conf')}; }`,
    acts: [
      [/^systemctl start mariadb$/, () => host.start()],
      [/^systemctl stop mariadb$/, () => host.stop()],
      [/^systemctl restart mariadb$/, () => host.restart()],
      [/^HOME=\S+ strongroom agent --config \S+$/, () => host.startAgent()],
    ],
  })
  return { kms, guide, host, trail: () => readAuditTrail(join(kmsDirectory, 'audit-trail.jsonl')) }
}

/** The database host of the guide, in a scratch directory. */
class Host {
  readonly paths: ReadonlyMap<string, string>
  readonly pluginFolder: string
  masterKeyArn = ''
  readonly #scratch: string
  readonly #kmsUrl: string
  readonly #prepared: PreparedServer
  #agent: Daemon | undefined
  #server: RunningServer | undefined
  #logRead = 0

  static async make(scratch: string, kmsUrl: string): Promise<Host> {
    const pluginFolder = join(scratch, 'plugins')
    makePluginFolder(pluginFolder, builtPlugin())
    const directory = join(scratch, 'server')
    const prepared = await prepareServer({ directory, options: { 'plugin-dir': pluginFolder } })
    return new Host(scratch, kmsUrl, prepared)
  }

  private constructor(scratch: string, kmsUrl: string, prepared: PreparedServer) {
    this.#scratch = scratch
    this.#kmsUrl = kmsUrl
    this.#prepared = prepared
    this.pluginFolder = join(scratch, 'plugins')
    this.paths = new Map([
      ['/var/lib/mysql', prepared.dataDirectory],
      ['/usr/lib/mysql/plugin', this.pluginFolder],
      ...['/etc/strongroom', '/etc/mysql/mariadb.conf.d', '/run/strongroom'].map((path): [string, string] => [
        path,
        join(scratch, path),
      ]),
    ])
    for (const path of ['home', 'etc/strongroom', 'etc/mysql/mariadb.conf.d', 'run/strongroom']) {
      mkdirSync(join(scratch, path), { recursive: true, mode: 0o755 })
    }
  }

  get dataDirectory(): string {
    return this.#prepared.dataDirectory
  }

  get socket(): string {
    return this.at('/run/strongroom/mariadb/agent.sock')
  }

  get server(): RunningServer {
    return this.#server ?? assert.fail('the server does not run')
  }

  /** Where a path of the guide is. */
  at(path: string): string {
    return join(this.#scratch, path)
  }

  write(path: string, text: string): void {
    writeFileSync(this.at(path), text, { mode: 0o644 })
  }

  /** mariadb-install-db as the user of the server. */
  get installCommand(): string {
    const installer = findProgram('mariadb-install-db')
    const [command, args] = commandFor(
      serverAccount(),
      installer,
      `--defaults-file=${this.#prepared.optionFile}`,
      `--plugin-dir=${this.pluginFolder}`,
      '--auth-root-authentication-method=normal',
    )
    return [command, ...args].join(' ')
  }

  /** The database that the package makes. */
  async initialise(): Promise<void> {
    await this.#prepared.initialise()
  }

  /** The option file of the guide, which this server would not read by itself. */
  configure(options: string): void {
    this.write(optionFile, `${options}\naws-key-management-socket = ${this.socket}\n`)
    appendFileSync(this.#prepared.optionFile, `!include ${this.at(optionFile)}\n`)
  }

  replaceOption(value: string, other: string): void {
    const file = this.at(optionFile)
    writeFileSync(file, readFileSync(file, 'utf8').replace(value, other))
  }

  async start(): Promise<void> {
    this.#server = await this.#prepared.start()
  }

  async stop(): Promise<void> {
    await this.#server?.stop()
    this.#server = undefined
    await this.#beginLog()
  }

  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  /** In the place of one that runs. */
  async startAgent(): Promise<void> {
    await this.#agent?.stop()
    this.#agent = await startDaemon({
      args: ['agent', '--config', this.at('/etc/strongroom/agent.conf')],
      directory: this.#scratch,
      name: 'agent',
      // Amazon's own KMS is at an address that nobody has to name.
      environment: { HOME: this.dataDirectory, AWS_ENDPOINT_URL_KMS: this.#kmsUrl },
    })
  }

  /** Statements, on one connection, as in MariaDB's client. */
  async sql(text: string): Promise<void> {
    const connection = await this.server.connect()
    try {
      for (const statement of text.split(';\n').filter(Boolean)) await connection.query(statement)
    } finally {
      await connection.end()
    }
  }

  /** By which a table of database `test` is encrypted; undefined: it isn't. */
  async keyOf(table: string): Promise<number | undefined> {
    const [row] = await this.server.query(
      'SELECT CURRENT_KEY_ID AS id FROM information_schema.INNODB_TABLESPACES_ENCRYPTION' +
        ' WHERE NAME = ? AND ENCRYPTION_SCHEME = 1 AND CURRENT_KEY_VERSION > 0',
      [`test/${table}`],
    )
    return row === undefined ? undefined : Number(row['id'])
  }

  /** What the server has logged since it was last stopped. */
  newLog(): string {
    return readFileSync(this.#prepared.errorLog).toString('utf8', this.#logRead)
  }

  async remove(): Promise<void> {
    await this.#server?.stop()
    await this.#agent?.stop()
  }

  async #beginLog(): Promise<void> {
    this.#logRead = await lengthOfLog(this.#prepared.errorLog)
  }
}

/** The lines of a block of the guide are in the log, in their order; `…` is any text. */
function assertInOrder(log: string, lines: string): void {
  let at = 0
  for (const line of lines.trim().split('\n')) {
    const found = log.indexOf(line.replace(/…$/, ''), at)
    assert.notEqual(found, -1, `${line}\nis not where it should be in\n${log}`)
    at = found + 1
  }
}

/** `ID.VERSION` of the keys that a log says were made. */
function generated(log: string): string[] {
  return [...log.matchAll(/generated encrypted datakey for key id=(\d+), version=(\d+)/g)].map(
    ([, id, version]) => `${id ?? ''}.${version ?? ''}`,
  )
}

function keyIdIn(parameters: AuditRecord['requestParameters']): string {
  const context = parameters?.['encryptionContext']
  assert.ok(typeof context === 'object' && context !== null && 'strongroom-key-id' in context)
  return String(context['strongroom-key-id'])
}
