import { DescribeKeyCommand } from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { logMessages } from '../../src/cli/demo/log-lines.ts'
import type { Stack } from '../../src/cli/demo/stack.ts'
import { type KmsProxy, startKmsProxy } from '../support/kms-proxy.ts'
import { agentIsReady, agentSays, asAdministrator, complaints, emptyStack } from '../support/running-stack.ts'
import { until } from '../support/until.ts'
import { startWindow, type WindowCommand } from '../support/window-command.ts'

interface Site {
  readonly stack: Stack
  readonly proxy: KmsProxy
  readonly masterKey: (...args: string[]) => WindowCommand
  readonly state: () => Promise<string | undefined>
}

/** A server that has run once, and whose agent reaches the KMS through a proxy; the administrator reaches it directly. */
async function site(t: TestContext): Promise<Site> {
  const keyring: Record<string, string> = {}
  const stack = await emptyStack({ keyring })
  t.after(() => stack.remove())
  await stack.startKms()
  await stack.makeMasterKey()
  const proxy = await startKmsProxy(t, stack.kms.url)
  keyring['endpoint-url'] = proxy.url
  await stack.prepare()
  await stack.startAgent()
  await stack.initialise()
  const server = await stack.startServer()
  await server.query('CREATE DATABASE d')
  await server.query('CREATE TABLE d.t (n INT PRIMARY KEY) ENCRYPTED=YES ENCRYPTION_KEY_ID=3')
  const place = {
    endpointUrl: stack.kms.url,
    stateDirectory: join(stack.directory, 'windows'),
    credentialsFile: stack.administrator.credentialsFile,
  }
  return {
    stack,
    proxy,
    masterKey: (...args) => startWindow(t, place, args),
    state: () =>
      asAdministrator(stack, async (kms) => {
        const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: stack.masterKeyArn }))
        return KeyMetadata?.KeyState
      }),
  }
}

/** As `systemctl` would: the server's start waits for the agent. */
async function startWhenReady(stack: Stack): Promise<void> {
  await until('the agent is ready', () => agentIsReady(stack))
  await stack.startServer()
}

async function requireReadingAndWriting(stack: Stack, n: number): Promise<void> {
  await stack.server.query('INSERT INTO d.t VALUES (?)', [n])
  await stack.server.query('FLUSH BINARY LOGS')
  const [row] = await stack.server.query('SELECT MAX(n) AS n FROM d.t')
  assert.equal(Number(row?.['n']), n)
}

/** Amazon's KMS says for some seconds after EnableKey that the key is disabled, now and then. */
function flapAfterEnabling({ proxy }: Site): () => number {
  let decrypts = 0
  let last = 0
  proxy.answerBy((operation) => {
    if (operation !== 'Decrypt') return undefined
    decrypts += 1
    const refused = decrypts <= 3 || decrypts % 2 === 0
    if (refused) last = decrypts
    return refused && decrypts < 12 ? 'DisabledException' : undefined
  })
  return () => last
}

test('a server starts in a window, runs on when it is closed, and its agent waits for the next', async (t) => {
  const it = await site(t)
  const { stack, masterKey } = it
  await stack.stopServer()
  await stack.agent.stop()
  assert.equal((await masterKey('disable', 'alias/mariadb').exited).code, 0)

  await stack.startAgent()
  const waits = `waiting for master key ${stack.masterKeyArn} to be enabled; next try in `
  await until('the agent says what it waits for', () => agentSays(stack, waits))
  assert.equal(complaints(stack).length, 1)
  assert.equal(agentIsReady(stack), false)

  const refused = flapAfterEnabling(it)
  const ping = `mariadb-admin --no-defaults --socket=${stack.prepared.socket} --user=root ping`
  const expected = ['--expect', stack.user.arn]
  const command = masterKey('window', 'alias/mariadb', '--for', '2m', '--until-ready', ping, ...expected)
  await command.says('not ready yet')
  await startWhenReady(stack)
  assert.equal((await command.exited).code, 0, command.output())
  assert.ok(refused() > 2, 'the KMS was not of one mind')
  assert.equal(await it.state(), 'Disabled')
  assert.match(command.output(), /:user\/mariadb +Decrypt +1\.1 of [0-9a-f]{32} .* ok$/m)
  assert.ok(!command.output().includes('not expected'))

  await requireReadingAndWriting(stack, 1)
  await assert.rejects(
    stack.server.query('CREATE TABLE d.fresh (n INT) ENCRYPTED=YES ENCRYPTION_KEY_ID=77'),
    /Can't create table|Unable to get key data/,
  )
  await until('the agent says why', () =>
    complaints(stack).some((line) => line.includes('key 77, version 1 is not created')),
  )

  await stack.agent.stop()
  await stack.startAgent()
  await until('the agent waits again', () => agentSays(stack, waits))
  await requireReadingAndWriting(stack, 2)
  const agentLog = join(stack.directory, 'agent.log')
  const isReady = `test "$(grep -c ^ready$ ${agentLog})" -ge 3`
  const second = masterKey('window', 'alias/mariadb', '--until-ready', isReady, ...expected)
  assert.equal((await second.exited).code, 0, second.output())
  assert.ok(agentIsReady(stack))
  assert.equal(await it.state(), 'Disabled')
  await requireReadingAndWriting(stack, 3)
  assert.ok(logMessages(stack.agent).includes('the keyring is whole again'))
})
