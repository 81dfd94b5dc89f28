import { IAMClient } from '@aws-sdk/client-iam'
import { GenerateDataKeyWithoutPlaintextCommand, KMSClient, PutKeyPolicyCommand } from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { z } from 'zod'
import { logLines, waitForLog } from '../../src/cli/demo/log-lines.ts'
import { exampleRegion, keyPolicy } from '../../src/cli/demo/kms-setup.ts'
import type { Stack } from '../../src/cli/demo/stack.ts'
import { commandFor, serverAccount } from '../../src/mariadb/account.ts'
import { queryOnce } from '../../src/mariadb/connection.ts'
import { findProgram } from '../../src/mariadb/programs.ts'
import type { Authenticator } from '../support/authenticator.ts'
import { makeUser } from '../support/identities.ts'
import { type Credentials, readRootAccessKey } from '../support/kms-service.ts'
import { MovableClock } from '../support/movable-clock.ts'
import { agentIsReady, asAdministrator, emptyStack } from '../support/running-stack.ts'
import { SecretSearch } from '../support/secret-search.ts'
import { enableDevice } from '../support/sts-session.ts'
import { startRelay } from '../support/sts-relay.ts'
import type { Run } from '../support/strongroom.ts'
import { until } from '../support/until.ts'
import { type Operator, operatorAt, withMfa } from '../support/with-mfa.ts'

/*
 * A database whose master key demands a code of an MFA device: KMS service, agent, with-mfa, the command that starts mariadbd, and mariadbd,
 * each a process of its own. Those of ours go by a clock that the test moves.
 */

const account = 'arn:aws:iam::111122223333'

const report = z.strictObject({
  keyring: z.strictObject({
    name: z.literal('mariadb'),
    isReady: z.boolean(),
    waitsForServer: z.boolean(),
    trouble: z.null(),
  }),
  serialNumber: z.literal(`${account}:mfa/phone`),
  accessKeyId: z.string().startsWith('ASIA'),
  expiration: z.iso.datetime(),
  command: z.array(z.string()),
  exitCode: z.number().nullable(),
  signal: z.null(),
})

test('a database that starts with a code of an MFA device', async (t) => {
  const site = await makeSite(t)
  const { stack, clock, search } = site
  let server = 0

  await t.test('without a code the KMS lets its user do nothing', async () => {
    await assert.rejects(site.useMasterKey(), { name: 'AccessDeniedException' })
    await waitForLog(stack.agent, (line) => line.includes('every stored key is unwrapped'))
  })

  await t.test('a code alone hands the agent what it needs to initialise a database', async () => {
    const { code, stdout, stderr } = await site.withMfa(site.nextCode(), [])
    assert.deepEqual([code, stdout], [0, ''], stderr)
    assert.match(
      stderr,
      /^strongroom: keyring mariadb: the agent has credentials until \S+Z \(15 minutes\) and is ready\n$/,
    )
    await stack.initialise()
  })

  await t.test('after a restart the agent waits, and says for what', async () => {
    await stack.agent.stop()
    await stack.startAgent({ environment: clock.environment })
    const waits = await waitForLog(stack.agent, (line) =>
      /^aws-kms-key\.1\.1.* waits? for master key/.test(line),
    )
    assert.match(
      waits,
      /no credentials have been handed over since the agent was started .* `strongroom with-mfa`/,
    )
    assert.ok(logLines(stack.agent).some((line) => line['code'] === 'SR_KMS_CREDENTIALS_AWAITED'))
  })

  await t.test('no code, a wrong, a used or a readable one starts nothing', async () => {
    const marker = join(site.operator.directory, 'started')
    const start = ['--', '/bin/sh', '-c', `echo > ${marker}`]
    const refused = async (run: Promise<Run>, says: RegExp) => {
      const { code, stdout, stderr } = await run
      assert.deepEqual([code, stdout], [1, ''], stderr)
      assert.match(stderr, says)
    }
    await refused(
      site.withMfa(site.usedCode(), start),
      /is wrong, or was used before .*\[SR_MFA_REFUSED\]\n$/,
    )
    const right = site.nextCode()
    await refused(site.withMfa(wrongCode(site.app, clock), start), /is wrong, or .*\[SR_MFA_REFUSED\]\n$/)
    await refused(
      site.withMfa(right, start, 0o644),
      /by others \(mode 0644\).*nothing was started \[SR_MFA_CODE\]\n$/,
    )
    await refused(site.withMfa('', start), /is not six digits; nothing was started \[SR_MFA_CODE\]\n$/)
    chmodSync(stack.agentDirectory, 0o777)
    await refused(site.withMfa(right, start), /agent can be written by others.*\[SR_ADMIN_UNTRUSTED\]\n$/)
    chmodSync(stack.agentDirectory, 0o700)
    const { eve } = site
    const denied = withMfa(eve.operator, eve.app.code(clock.now), [...site.config, ...start])
    await refused(denied, /still waits, so nothing was started: the KMS denies .*\[SR_KMS_ACCESS_DENIED\]\n$/)
    assert.ok(!existsSync(marker))
    assert.ok(!agentIsReady(stack))
  })

  await t.test('the right code starts the server', async () => {
    const args = ['--json', '--', '/bin/sh', site.startScript]
    const { code, stdout, stderr } = await site.withMfa(site.nextCode(), args)
    assert.equal(code, 0, stderr)
    const { keyring, command, exitCode } = report.parse(JSON.parse(stdout))
    assert.ok(keyring.isReady)
    assert.deepEqual([command, exitCode], [['/bin/sh', site.startScript], 0])
    assert.match(stderr, /\(15 minutes\) and is ready\nstrongroom: \/bin\/sh ended with exit code 0\n$/)
    server = Number(readFileSync(site.pidFile, 'utf8'))
    await site.query('CREATE DATABASE d')
    await site.query('CREATE TABLE d.payroll (n INT PRIMARY KEY) ENCRYPTED=YES ENCRYPTION_KEY_ID=3')
    await site.query('INSERT INTO d.payroll VALUES (1)')
  })

  await t.test('its secrets are in the memory of the agent alone', () => {
    const given = site.relaySecrets()
    assert.equal(given.length, 4, 'two secret access keys and two session tokens')
    for (const [n, secret] of given.entries()) search.add(`secret ${n} of STS`, secret)
    const places = ['environ', 'cmdline'].flatMap((name) => [
      ...[stack.kms.pid, stack.agent.pid, server].map((pid) => `/proc/${pid}/${name}`),
      join(site.operator.directory, `seen-${name}`),
    ])
    for (const place of places) assert.deepEqual(search.in(readFileSync(place), place), [])
    const { found, searched } = search.inFiles(stack.directory)
    assert.deepEqual(
      found.map(({ secret, place }) => `${secret}: ${place}`),
      [`the operator's secret access key: operator/credentials`],
    )
    for (const file of ['agent.log', 'kms.log', 'server/error.log', 'kms/audit-trail.jsonl'])
      assert.ok(searched.includes(file), file)
    const seen = readFileSync(join(site.operator.directory, 'seen-cmdline'), 'latin1').split('\0')
    assert.ok(seen.includes('with-mfa') && seen.includes('--code-from'), seen.join(' '))
  })

  await t.test('a quarter of an hour later it works on, but has no new key ids', async () => {
    clock.advance(901)
    await site.query('INSERT INTO d.payroll VALUES (2)')
    await site.query('CREATE TABLE d.second (n INT) ENCRYPTED=YES ENCRYPTION_KEY_ID=3')
    await assert.rejects(site.query('CREATE TABLE d.third (n INT) ENCRYPTED=YES ENCRYPTION_KEY_ID=7'))
    assert.match(
      await waitForLog(stack.agent, (line) => line.startsWith('key 7, version 1 is not created')),
      /: the credentials that `strongroom with-mfa` handed over expired at 20\S+Z; run it again$/,
    )
    assert.equal((await site.query('SELECT * FROM d.payroll')).length, 2)
  })

  await t.test('another code cures that, and nothing was restarted', async () => {
    const { code, stderr } = await site.withMfaByDefaults(site.nextCode())
    assert.equal(code, 0, stderr)
    await until('key 7 can be had', () =>
      site.query('CREATE TABLE d.third (n INT) ENCRYPTED=YES ENCRYPTION_KEY_ID=7').then(
        () => true,
        () => false,
      ),
    )
    assert.equal(Number(readFileSync(site.pidFile, 'utf8')), server)
  })
})

interface Site {
  readonly stack: Stack
  readonly clock: MovableClock
  readonly app: Authenticator
  readonly operator: Operator
  /** Who has a device too, and is nobody to the master key. */
  readonly eve: { readonly operator: Operator; readonly app: Authenticator }
  /** Names the agent's configuration. */
  readonly config: readonly string[]
  readonly search: SecretSearch
  readonly startScript: string
  readonly pidFile: string
  readonly withMfa: (code: string, args: readonly string[], mode?: number) => Promise<Run>
  /** To the service at which the keyring's master key is, as nothing else is said. */
  readonly withMfaByDefaults: (code: string) => Promise<Run>
  /** Of a minute later, since each works once. */
  readonly nextCode: () => string
  /** The one that was taken last. */
  readonly usedCode: () => string
  readonly relaySecrets: () => string[]
  readonly query: (sql: string) => ReturnType<typeof queryOnce>
  /** As the operator, whose access key alone is shown. */
  readonly useMasterKey: () => Promise<unknown>
}

async function makeSite(t: TestContext): Promise<Site> {
  const stack = await emptyStack({ keyring: { credentials: 'with-mfa', 'credentials-file': '' } })
  const directory = join(stack.directory, 'operator')
  const pidFile = join(directory, 'server.pid')
  t.after(async () => {
    if (existsSync(pidFile)) await endServer(Number(readFileSync(pidFile, 'utf8')))
    await stack.remove()
  })
  mkdirSync(directory, { mode: 0o700 })
  const clock = new MovableClock(join(stack.directory, 'clock'))
  await stack.startKms({ environment: clock.environment })
  await stack.makeMasterKey()
  const { caller, app } = await makePerson(stack, 'dba', 'phone')
  const eve = await makePerson(stack, 'eve', 'tablet')
  await demandMfa(stack)
  await stack.prepare()
  await stack.startAgent({ environment: clock.environment })
  const { socket } = stack.prepared
  const relay = await startRelay(t, new URL(stack.kms.url))
  const operator = operatorAt(directory, caller, clock.environment)
  const eveDirectory = join(stack.directory, 'eve')
  mkdirSync(eveDirectory, { mode: 0o700 })
  const search = new SecretSearch()
  search.add("the operator's secret access key", caller.secretAccessKey)
  const config = ['--config', join(stack.agentDirectory, 'agent.conf')]
  let code = ''
  return {
    stack,
    clock,
    app,
    operator,
    eve: { operator: operatorAt(eveDirectory, eve.caller, clock.environment), app: eve.app },
    config,
    search,
    startScript: writeStartScript(directory, { pidFile, stack }),
    pidFile,
    withMfa: (shown, args, mode) =>
      withMfa(operator, shown, [...config, '--endpoint-url', relay.url, ...args], mode),
    withMfaByDefaults: (shown) => withMfa(operator, shown, config),
    nextCode: () => {
      clock.advance(60)
      code = app.code(clock.now)
      search.addCode('a code', code)
      return code
    },
    usedCode: () => code,
    relaySecrets: relay.secrets,
    query: (sql) => queryOnce(socket, sql),
    useMasterKey: async () => {
      const { masterKeyArn: KeyId } = stack
      const kms = new KMSClient({ endpoint: stack.kms.url, region: exampleRegion, credentials: caller })
      await kms.send(new GenerateDataKeyWithoutPlaintextCommand({ KeyId })).finally(() => {
        kms.destroy()
      })
    },
  }
}

interface Person {
  readonly caller: Credentials
  readonly app: Authenticator
}

async function makePerson(stack: Stack, name: string, device: string): Promise<Person> {
  const credentials = readRootAccessKey(stack.kmsDirectory)
  const iam = new IAMClient({ endpoint: stack.kms.url, region: exampleRegion, credentials })
  try {
    const caller = await makeUser(iam, name, [{ Action: 'iam:ListMFADevices' }])
    const { app } = await enableDevice(iam, name, device)
    return { caller, app }
  } finally {
    iam.destroy()
  }
}

/** Of the master key's users only dba is left, and only with a code that was shown in the last quarter of an hour. */
async function demandMfa(stack: Stack): Promise<void> {
  const [administration] = z.object({ Statement: z.array(z.unknown()) }).parse(keyPolicy(undefined)).Statement
  const use = {
    Effect: 'Allow',
    Principal: { AWS: `${account}:user/dba` },
    Action: ['kms:Decrypt', 'kms:GenerateDataKeyWithoutPlaintext'],
    Resource: '*',
    Condition: {
      Bool: { 'aws:MultiFactorAuthPresent': 'true' },
      NumericLessThan: { 'aws:MultiFactorAuthAge': '900' },
    },
  }
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [administration, use] })
  await asAdministrator(stack, (kms) =>
    kms.send(new PutKeyPolicyCommand({ KeyId: stack.masterKeyArn, Policy })),
  )
}

/** As a service manager starts a service: it returns once the server answers, and the server stays. */
function writeStartScript(directory: string, { pidFile, stack }: { pidFile: string; stack: Stack }): string {
  const { optionFile, socket } = stack.prepared
  const [setpriv, args] = commandFor(
    serverAccount(),
    findProgram('mariadbd'),
    `--defaults-file=${optionFile}`,
  )
  const file = join(directory, 'start.sh')
  writeFileSync(
    file,
    `set -eu
cat /proc/$$/environ /proc/$PPID/environ >${directory}/seen-environ
cat /proc/$$/cmdline /proc/$PPID/cmdline >${directory}/seen-cmdline
${setpriv} ${args.join(' ')} </dev/null >${directory}/server.out 2>&1 &
echo $! >${pidFile}
until ${findProgram('mariadb')} --no-defaults --socket=${socket} --user=root --execute='SELECT 1' >/dev/null 2>&1; do
  kill -0 $!
  sleep 0.1
done
`,
  )
  return file
}

async function endServer(pid: number): Promise<void> {
  if (!runs(pid)) return
  process.kill(pid)
  await until('the server has ended', () => !runs(pid))
}

/** Whose parent has gone may stay as a zombie, where nobody collects those. */
function runs(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

function wrongCode(app: Authenticator, { now }: MovableClock): string {
  const right = [-60, -30, 0, 30, 60].map((seconds) => app.code(now, seconds))
  return (
    ['000000', '111111', '222222', '333333', '444444', '555555'].find((code) => !right.includes(code)) ?? ''
  )
}
