import { GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import { startDaemon } from '../../src/cli/demo/daemon.ts'
import type { Statement } from '../support/identities.ts'
import { startTestService, type TestService } from '../support/kms-service.ts'
import { scratchDirectory } from '../support/scratch.ts'
import { enableDevice, getSession } from '../support/sts-session.ts'
import { program } from '../support/strongroom.ts'
import { type Operator, operatorAt, withMfa } from '../support/with-mfa.ts'

/*
 * `strongroom with-mfa` as a process, at a terminal and without one. Each test has a user of its own, since a code works once.
 */

const account = 'arn:aws:iam::111122223333'
const mayList = { Action: 'iam:ListMFADevices' }
/** Does more in the shell than `exit 7`, so that the shell isn't replaced by the command. */
const endsWith7 = ['--', '/bin/sh', '-c', 'echo it runs; exit 7']

/** Of two in the same instant a process may notice one, so it is tried several times. */
const presses = 8
const countInterrupts = `
import signal, time
seen = []
signal.signal(signal.SIGINT, lambda *_: seen.append(1))
counts = []
for n in range(${presses}):
    seen.clear()
    print("stop me: ", end="", flush=True)
    while not seen: time.sleep(0.01)
    time.sleep(0.1)
    counts.append(str(len(seen)))
print("stopped", *counts)
raise SystemExit(3)
`

interface Person extends Operator {
  /** Unused. */
  readonly code: string
  readonly wrongCode: string
}

test('strongroom with-mfa', async (t) => {
  const service = await startTestService(t)
  const place = ['--endpoint-url', service.current.url, '--region', service.current.region]
  const inEnvironment = ['--env', ...place]

  await t.test(
    'asks at the terminal, shows nothing of what is typed, and asks again for a wrong code',
    async (t) => {
      const { code, wrongCode, environment } = await person(t, service, 'alice', mayList)
      const shown = await atTerminal(environment, [wrongCode, code], [...inEnvironment, ...endsWith7])
      assert.match(
        shown,
        /^MFA code of \S+:mfa\/alice: \nstrongroom: the code of \S+:mfa\/alice is wrong, or was used before .*\nMFA code of \S+:mfa\/alice: \nit runs\nstrongroom: \/bin\/sh ended with exit code 7\nexit code 7\n$/,
      )
      assert.ok(!shown.includes(code) && !shown.includes(wrongCode))
    },
  )

  await t.test('gives up after three, or at Ctrl-C, and starts nothing', async (t) => {
    const { wrongCode, environment } = await person(t, service, 'bob', mayList)
    const args = [...inEnvironment, ...endsWith7]
    const thrice = await atTerminal(environment, [wrongCode, 'not a code', wrongCode], args)
    assert.match(
      thrice,
      /strongroom: that is not six digits\nMFA code of .*\n.*; nothing was started \[SR_MFA_REFUSED\]\nexit code 1\n$/,
    )
    const interrupted = await atTerminal(environment, ['\x03'], args)
    assert.match(
      interrupted,
      /^MFA code of \S+: \nstrongroom: no code was given; nothing was started \[SR_MFA_CODE\]\nexit code 1\n$/,
    )
    assert.ok(!`${thrice}${interrupted}`.includes('it runs'))
  })

  await t.test('leaves Ctrl-C to the command, which the terminal sends it once', async (t) => {
    const { code, environment } = await person(t, service, 'carol', mayList)
    const command = ['--', '/usr/bin/python3', '-c', countInterrupts]
    const shown = await atTerminal(
      environment,
      [code, ...Array<string>(presses).fill('\x03')],
      [...inEnvironment, ...command],
    )
    assert.match(
      shown,
      /stopped( 1){8}\nstrongroom: \/usr\/bin\/python3 ended with exit code 3\nexit code 3\n$/,
    )
  })

  await t.test('gives the command all three values, and no other way to credentials', async (t) => {
    const { code, ...operator } = await person(t, service, 'dave')
    const args = [
      '--serial',
      `${account}:mfa/dave`,
      '--profile',
      'default',
      ...inEnvironment,
      '--',
      '/usr/bin/env',
    ]
    const run = await withMfa(within(operator, { AWS_PROFILE: 'default' }), code, args)
    assert.equal(run.code, 0, run.stderr)
    const environment = new Map(
      run.stdout.split('\n').map((line) => [line.split('=')[0], line.replace(/^.*?=/, '')]),
    )
    assert.equal(environment.has('AWS_PROFILE'), false)
    const value = (name: string) => environment.get(name) ?? assert.fail(`${name} is not set`)
    const { Arn } = await service
      .sts({
        accessKeyId: value('AWS_ACCESS_KEY_ID'),
        secretAccessKey: value('AWS_SECRET_ACCESS_KEY'),
        sessionToken: value('AWS_SESSION_TOKEN'),
      })
      .send(new GetCallerIdentityCommand({}))
    assert.equal(Arn, `${account}:user/dave`)
    assert.match(value('AWS_CREDENTIAL_EXPIRATION'), /^20\S+Z$/)
  })

  await t.test('takes a role', async (t) => {
    const { code, ...operator } = await person(t, service, 'erin', { Action: 'sts:AssumeRole' })
    const Condition = { Bool: { 'aws:MultiFactorAuthPresent': 'true' } }
    const role = await service.makeRole('opener', [{ Principal: { AWS: `${account}:user/erin` }, Condition }])
    const args = ['--serial', `${account}:mfa/erin`, '--role-arn', role, ...inEnvironment, '--', '/bin/true']
    const run = await withMfa(operator, code, args)
    assert.deepEqual([run.code, run.stdout], [0, ''], run.stderr)
    const [record] = service.trail().filter(({ eventName }) => eventName === 'AssumeRole')
    assert.match(JSON.stringify(record), /"roleSessionName":"strongroom-[\w+=,.@-]+"/)
  })

  await t.test('reads the code from a pipe, and leaves the command the rest', async (t) => {
    const { code, environment } = await person(t, service, 'frank', mayList)
    const child = spawn(program, ['with-mfa', '--code-from', '0', ...inEnvironment, '--', '/bin/cat'], {
      env: environment,
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    child.stdin.end(`${code}\nthe rest\n`)
    assert.equal(await text(child.stdout), 'the rest\n')
  })

  await t.test('passes signals on, and ends as the command did', async (t) => {
    for (const [name, script, signal, end] of [
      ['grace', 'trap "exit 9" TERM; echo waits; for n in $(seq 200); do sleep 0.05; done', 'SIGTERM', 9],
      ['heidi', 'echo waits; exec sleep 20', 'SIGINT', 128 + 2],
    ] as const) {
      const { code, directory, environment } = await person(t, service, name, mayList)
      writeFileSync(join(directory, 'code'), code, { mode: 0o600 })
      const words = ['with-mfa', '--code-from', '3', ...inEnvironment, '--', '/bin/sh', '-c', script]
      const child = spawn('/bin/sh', ['-c', `exec "$0" "$@" 3<${directory}/code`, program, ...words], {
        env: environment,
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      t.after(() => child.kill('SIGKILL'))
      await once(child.stdout, 'data')
      child.kill(signal)
      assert.equal(await exitCodeOf(child), end)
    }
  })

  await t.test('ends as the command did, also where nobody reads what we say of it', async (t) => {
    const { code, environment } = await person(t, service, 'leo', mayList)
    const script = 'sleep 0.5; exit 7'
    const words = ['--code-from', '0', ...inEnvironment, '--', '/bin/sh', '-c', script]
    const child = spawn(program, ['with-mfa', ...words], {
      env: environment,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    child.stdout.destroy()
    child.stderr.destroy()
    child.stdin.end(`${code}\n`)
    assert.equal(await exitCodeOf(child), 7)
  })

  await t.test('shows a code to STS once, whether or not an answer comes', async (t) => {
    const { code, ...operator } = await person(t, service, 'mallory')
    let calls = 0
    const failing = createServer((request, response) => {
      calls += 1
      if (calls % 2 === 1) response.writeHead(503).end()
      else request.socket.destroy()
    }).listen(0, '127.0.0.1')
    t.after(() => failing.close())
    await once(failing, 'listening')
    const address = failing.address()
    const port = typeof address === 'object' && address !== null ? address.port : assert.fail()
    const args = ['--serial', `${account}:mfa/mallory`, '--endpoint-url', `http://127.0.0.1:${port}`]
    for (const tries of [1, 2]) {
      const region = ['--region', service.current.region]
      const run = await withMfa(operator, code, ['--env', ...args, ...region, ...endsWith7])
      assert.deepEqual([run.code, run.stdout], [1, ''])
      assert.match(run.stderr, /; nothing was started( \(ECONNRESET\))? \[SR_AWS_(FAILED|UNREACHABLE)\]\n$/)
      assert.equal(calls, tries)
    }
  })

  await t.test('says at once what a code would not change', async (t) => {
    const { code, ...operator } = await person(t, service, 'ivan')
    const before = service.trail().length
    const { environment, directory } = operator
    const noTerminal = await withMfaWithout(environment, [...inEnvironment, ...endsWith7])
    assert.match(
      noTerminal,
      /no terminal to ask for a code at; see --code-from; nothing was started \[SR_MFA_CODE\]/,
    )
    const temporary = await getSession(service, await service.makeUser('judy'))
    const { accessKeyId, secretAccessKey, sessionToken = '' } = temporary
    const given = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey }
    const session = await withMfa(within(operator, { ...given, AWS_SESSION_TOKEN: sessionToken }), code, [
      ...inEnvironment,
      ...endsWith7,
    ])
    assert.equal(session.code, 1)
    assert.match(session.stderr, /the credentials found are temporary.*\[SR_AWS_CREDENTIALS\]/)
    const config = join(directory, 'agent.conf')
    writeFileSync(
      config,
      '[agent]\nadmin-socket = admin.sock\n[keyring mariadb]\nstore = directory:.\ntoken-file = t\n',
    )
    const noAgent = await withMfa(operator, code, ['--config', config, ...place, ...endsWith7])
    assert.match(noAgent.stderr, /cannot find the agent's admin socket .* \(ENOENT\).*\[SR_ADMIN_FAILED\]/)
    assert.equal(noAgent.code, 1)
    const asked = service.trail().slice(before)
    assert.ok(!JSON.stringify(asked).includes('mfa/ivan'), 'the code was shown to nobody')
  })

  await t.test('the command of an agent’s start has none of the operator’s credentials', async (t) => {
    const { code, caller, directory, ...operator } = await person(t, service, 'kate', mayList)
    mkdirSync(join(directory, 'data'))
    const config = join(directory, 'agent.conf')
    writeFileSync(
      config,
      `[agent]\nadmin-socket = admin.sock\n[plugin-listener]\ndirectory = .\n[keyring mariadb]\nstore = directory:data\n` +
        `region = ${service.current.region}\nendpoint-url = ${service.current.url}\ncredentials = with-mfa\n`,
    )
    const agent = await startDaemon({ args: ['agent', '--config', config], directory, name: 'agent' })
    t.after(() => agent.stop())
    const given = { AWS_ACCESS_KEY_ID: caller.accessKeyId, AWS_SECRET_ACCESS_KEY: caller.secretAccessKey }
    const run = await withMfa(within({ directory, ...operator }, given), code, [
      '--config',
      config,
      '--',
      '/usr/bin/env',
    ])
    assert.equal(run.code, 0, run.stderr)
    assert.match(run.stdout, /^AWS_SHARED_CREDENTIALS_FILE=/m)
    assert.doesNotMatch(run.stdout, /^AWS_(ACCESS|SECRET|SESSION)/m)
    assert.ok(existsSync(config))
  })
})

async function person(
  t: TestContext,
  service: TestService,
  name: string,
  ...statements: Statement[]
): Promise<Person & { caller: Awaited<ReturnType<TestService['makeUser']>> }> {
  const caller = await service.makeUser(name, ...statements)
  const { app } = await enableDevice(service.iam(), name, name)
  const right = [-60, -30, 0, 30, 60].map((seconds) => app.code(new Date(), seconds))
  const wrongCode = ['000000', '111111', '222222', '333333', '444444', '555555'].find(
    (code) => !right.includes(code),
  )
  return {
    ...operatorAt(scratchDirectory(t), caller),
    caller,
    code: app.code(new Date(), 30),
    wrongCode: wrongCode ?? assert.fail(),
  }
}

function within(operator: Operator, more: Readonly<Record<string, string>>): Operator {
  return { ...operator, environment: { ...operator.environment, ...more } }
}

/** What the terminal shows while these lines are typed, and the exit code. */
async function atTerminal(
  env: Readonly<Record<string, string>>,
  lines: readonly string[],
  args: readonly string[],
): Promise<string> {
  const child = spawn(
    '/usr/bin/python3',
    [
      join(import.meta.dirname, 'kms-terminal.py'),
      JSON.stringify(lines),
      '/bin/sh',
      '-c',
      'trap : INT; "$0" "$@"; echo "exit code $?"',
      program,
      'with-mfa',
      ...args,
    ],
    { env, stdio: ['ignore', 'pipe', 'inherit'] },
  )
  return (await text(child.stdout)).replaceAll('\r\n', '\n')
}

/** At no terminal, and without a file descriptor of a code. */
async function withMfaWithout(
  env: Readonly<Record<string, string>>,
  args: readonly string[],
): Promise<string> {
  const child = spawn(program, ['with-mfa', ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const [output, exitCode] = await Promise.all([text(child.stderr), exitCodeOf(child)])
  assert.equal(exitCode, 1)
  return output
}

async function exitCodeOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return child.exitCode
}
