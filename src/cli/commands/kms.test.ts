import { CreateKeyCommand, DecryptCommand, GenerateDataKeyCommand, KMSClient } from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { readRootAccessKey, readTrail } from '../../../test/support/kms-service.ts'

const program = `
  import { kms } from ${JSON.stringify(new URL('kms.ts', import.meta.url).href)}
  process.exitCode = await kms.run(process.argv.slice(1))
`

interface Daemon {
  readonly process: ChildProcessWithoutNullStreams
  readonly url: string
  readonly stderr: () => string
}

function run(
  t: TestContext,
  args: readonly string[],
): { process: ChildProcessWithoutNullStreams; stderr: () => string } {
  const child = spawn(process.execPath, [
    '--disable-warning=ExperimentalWarning',
    '--input-type=module',
    '--eval',
    program,
    '--',
    ...args,
  ])
  t.after(() => child.kill('SIGKILL'))
  let stderr = ''
  child.stderr.on('data', (chunk) => {
    stderr += String(chunk)
  })
  return { process: child, stderr: () => stderr }
}

async function start(t: TestContext, directory: string): Promise<Daemon> {
  const daemon = run(t, ['--data', directory, '--listen', '127.0.0.1:0'])
  let stdout = ''
  daemon.process.stdout.on('data', (chunk) => {
    stdout += String(chunk)
  })
  await Promise.race([once(daemon.process.stdout, 'data'), once(daemon.process, 'exit')])
  const url = /^listening on (http:\/\/127\.0\.0\.1:\d+)\n$/.exec(stdout)?.[1]
  return { ...daemon, url: url ?? assert.fail(`${stdout}${daemon.stderr()}`) }
}

async function exitCode(child: ChildProcessWithoutNullStreams): Promise<unknown> {
  const parts: unknown[] = await once(child, 'exit')
  return parts[0]
}

function client(daemon: { readonly url: string }, directory: string): KMSClient {
  const credentials = readRootAccessKey(directory)
  return new KMSClient({ endpoint: daemon.url, region: 'us-east-1', credentials, maxAttempts: 1 })
}

function scratchDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'strongroom-kms-cli-'))
  t.after(() => {
    rmSync(directory, { recursive: true })
  })
  return join(directory, 'kms')
}

test('what was answered survives kill -9', async (t) => {
  const directory = scratchDirectory(t)
  const daemon = await start(t, directory)
  const { KeyMetadata } = await client(daemon, directory).send(new CreateKeyCommand({}))
  const { CiphertextBlob, Plaintext } = await client(daemon, directory).send(
    new GenerateDataKeyCommand({ KeyId: KeyMetadata?.KeyId, KeySpec: 'AES_256' }),
  )
  daemon.process.kill('SIGKILL')
  await once(daemon.process, 'exit')
  const again = await start(t, directory)
  const opened = await client(again, directory).send(new DecryptCommand({ CiphertextBlob }))
  assert.deepEqual(opened.Plaintext, Plaintext)
  assert.deepEqual(
    readTrail(directory).map((record) => record['eventName']),
    ['CreateKey', 'GenerateDataKey', 'Decrypt'],
  )
})

test('SIGTERM answers what is under way, then ends with 0; a second service is refused meanwhile', async (t) => {
  const directory = scratchDirectory(t)
  const daemon = await start(t, directory)
  const second = run(t, ['--data', directory, '--listen', '127.0.0.1:0'])
  const secondCode = await exitCode(second.process)
  assert.notEqual(secondCode, 0)
  assert.match(second.stderr(), /SR_KMS_DIRECTORY_IN_USE/)
  const kms = client(daemon, directory)
  const requests = Array.from({ length: 20 }, () => kms.send(new CreateKeyCommand({})))
  const settled = Promise.allSettled(requests)
  await requests[0]
  daemon.process.kill('SIGTERM')
  const ended = Date.now()
  assert.equal(await exitCode(daemon.process), 0)
  assert.ok(Date.now() - ended < 2000)
  const answered = (await settled).filter(({ status }) => status === 'fulfilled').length
  assert.ok(answered > 0 && answered <= readTrail(directory).length)
  assert.match(daemon.stderr(), /"msg":"stopped"/)
})

test('SIGTERM ends it within 5 seconds, whatever connections are open', async (t) => {
  const daemon = await start(t, scratchDirectory(t))
  const connections = ['', 'POST / HT', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf'].map(
    (sent) => {
      const socket = connect(Number(new URL(daemon.url).port), '127.0.0.1')
      socket.on('error', () => undefined)
      socket.write(sent)
      return socket
    },
  )
  await Promise.all(connections.map((socket) => once(socket, 'connect')))
  daemon.process.kill('SIGTERM')
  const ended = Date.now()
  assert.equal(await exitCode(daemon.process), 0)
  assert.ok(Date.now() - ended < 5000)
})

test('a second service is refused although the lock file was removed', async (t) => {
  const directory = scratchDirectory(t)
  await start(t, directory)
  rmSync(join(directory, 'lock'))
  const second = run(t, ['--data', directory, '--listen', '127.0.0.1:0'])
  assert.notEqual(await exitCode(second.process), 0)
  assert.match(second.stderr(), /SR_KMS_DIRECTORY_IN_USE/)
})

test('a log that cannot be written changes nothing', async (t) => {
  const full = openSync('/dev/full', 'w')
  t.after(() => {
    closeSync(full)
  })
  const program = join(import.meta.dirname, '../../../bin/strongroom')
  for (const stderr of [full, 'pipe'] as const) {
    const directory = scratchDirectory(t)
    const args = ['kms', '--data', directory, '--listen', '127.0.0.1:0', '--log-level', 'trace']
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', stderr] })
    t.after(() => child.kill('SIGKILL'))
    // Nobody reads any more: EPIPE.
    child.stderr?.destroy()
    assert.ok(child.stdout)
    const said = String((await once(child.stdout, 'data'))[0])
    const url = /^listening on (http:\/\/127\.0\.0\.1:\d+)\n$/.exec(said)?.[1] ?? assert.fail(said)
    const kms = client({ url }, directory)
    await assert.rejects(kms.send(new DecryptCommand({ CiphertextBlob: Buffer.alloc(10) })))
    await kms.send(new CreateKeyCommand({}))
    child.kill('SIGTERM')
    assert.equal((await once(child, 'exit'))[0], 0)
  }
})

test('a wrong command line or address is refused', async (t) => {
  const data = ['--data', scratchDirectory(t)]
  const table: [args: string[], code: RegExp][] = [
    [[], /SR_USAGE/],
    [[...data, '--bogus'], /SR_USAGE/],
    [[...data, '--account-id', '1'], /SR_USAGE/],
    [[...data, '--region', 'Here'], /SR_USAGE/],
    [[...data, '--log-level', 'loud'], /SR_USAGE/],
    [[...data, '--listen', '0.0.0.0:8202'], /SR_KMS_LISTEN/],
  ]
  await Promise.all(
    table.map(async ([args, code]) => {
      const refused = run(t, args)
      assert.notEqual(await exitCode(refused.process), 0)
      assert.match(refused.stderr(), code, args.join(' '))
    }),
  )
})
