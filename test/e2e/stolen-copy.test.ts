import { DisableKeyCommand } from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { startDaemon } from '../../src/cli/demo/daemon.ts'
import { filesHolding } from '../../src/cli/demo/file-search.ts'
import { logMessages } from '../../src/cli/demo/log-lines.ts'
import type { Stack } from '../../src/cli/demo/stack.ts'
import { servedKeys } from '../support/key-client.ts'
import { PluginClient } from '../support/plugin-client.ts'
import { asAdministrator, serverStack } from '../support/running-stack.ts'
import { scratchDirectory } from '../support/scratch.ts'
import { until } from '../support/until.ts'

/*
 * A copy of the data directory in the hands of a thief, who has Strongroom too, and reaches the KMS: what it is worth in each
 * arrangement of credentials.
 */

const marker = 'a salary that nobody must read'

test('a stolen copy of the data directory', async (t) => {
  const stack = await serverStack()
  t.after(() => stack.remove())
  await stack.server.query('CREATE DATABASE payroll')
  await stack.server.query('CREATE TABLE payroll.salaries (note text) ENGINE=InnoDB')
  await stack.server.query(`INSERT INTO payroll.salaries VALUES ('${marker}')`)
  await stack.server.query('FLUSH TABLES payroll.salaries FOR EXPORT')
  const [key = Buffer.alloc(0)] = await servedKeys(stack, [1])
  await stack.stopServer()
  const copy = join(scratchDirectory(t), 'copy')
  cpSync(stack.dataDirectory, copy, { recursive: true })

  await t.test('holds no row and no key in the clear', async () => {
    for (const secret of [marker, key, key.toString('hex'), key.toString('base64').slice(0, 43)])
      assert.deepEqual((await filesHolding(copy, secret)).found, [])
    assert.deepEqual((await filesHolding(copy, 'strongroom-keyring/1')).found, ['aws-kms-key.keyring.json'])
  })

  await t.test('is worth nothing where the credentials were the agent’s', async (t) => {
    await refusedTo(t, { stack, copy }, /no AWS credentials were to be had/)
  })

  await t.test('is worth everything where the credentials were in it', async (t) => {
    const credentials = join(copy, '.aws/credentials')
    mkdirSync(join(copy, '.aws'))
    writeFileSync(credentials, readFileSync(stack.user.credentialsFile))
    assert.deepEqual(await askAs(t, { stack, copy, credentials }), key)
  })

  await t.test('is worth nothing, with its credentials too, while the master key is disabled', async (t) => {
    const KeyId = stack.masterKeyArn
    await asAdministrator(stack, (kms) => kms.send(new DisableKeyCommand({ KeyId })))
    await refusedTo(t, { stack, copy, credentials: join(copy, '.aws/credentials') }, /disabled|to be enabled/)
  })
})

interface Theft {
  readonly stack: Stack
  readonly copy: string
  /** The file; without it there are none. */
  readonly credentials?: string
}

/** The key that the thief's own agent gets from the copy. */
async function askAs(t: TestContext, theft: Theft): Promise<Buffer | undefined> {
  const { socket } = await startThiefsAgent(t, theft)
  let key: Buffer | undefined
  await until('the key is unwrapped', async () => {
    const client = await PluginClient.connect(socket)
    const answer = await client.getLatest(1)
    client.close()
    if (answer?.type === 'key') key = answer.bytes
    return key !== undefined
  })
  return key
}

async function refusedTo(t: TestContext, theft: Theft, why: RegExp): Promise<void> {
  const { socket, messages } = await startThiefsAgent(t, theft)
  await until('the agent says why not', () => messages().some((message) => why.test(message)))
  const client = await PluginClient.connect(socket)
  assert.notEqual((await client.getLatest(1))?.type, 'key')
  client.close()
}

async function startThiefsAgent(
  t: TestContext,
  { stack, copy, credentials }: Theft,
): Promise<{ socket: string; messages: () => string[] }> {
  const directory = scratchDirectory(t)
  mkdirSync(join(directory, 'run'))
  const config = join(directory, 'agent.conf')
  const lines = [
    '[plugin-listener]',
    'directory = run',
    '[keyring mariadb]',
    `store = directory:${copy}`,
    `master-key-id = ${stack.masterKeyArn}`,
    `endpoint-url = ${stack.kms.url}`,
    ...(credentials === undefined ? [] : [`credentials-file = ${credentials}`]),
  ]
  writeFileSync(config, `${lines.join('\n')}\n`)
  const environment = { HOME: directory, AWS_EC2_METADATA_DISABLED: 'true' }
  const agent = await startDaemon({
    args: ['agent', '--config', config],
    directory,
    name: 'agent',
    environment,
  })
  t.after(() => agent.stop())
  return { socket: join(directory, 'run/mariadb/agent.sock'), messages: () => logMessages(agent) }
}
