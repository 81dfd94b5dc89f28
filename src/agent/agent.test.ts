import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { CreateKeyCommand, DisableKeyCommand, EnableKeyCommand } from '@aws-sdk/client-kms'
import { startTestService, type TestService } from '../../test/support/kms-service.ts'
import { PluginClient } from '../../test/support/plugin-client.ts'
import { RecordingLog } from '../../test/support/recording-log.ts'
import { scratchDirectory } from '../../test/support/scratch.ts'
import { until } from '../../test/support/until.ts'
import { type Agent, startAgent } from './agent.ts'
import { readAgentConfig } from './config.ts'

interface Site {
  readonly kms: TestService
  readonly options: Readonly<Record<string, string>>
  readonly masterKeyId: string
  readonly log: RecordingLog
  readonly socketOf: (keyring: string) => string
  readonly start: (...sections: string[]) => Promise<Agent>
  readonly keyring: (name: string, ...options: string[]) => string
}

/** The KMS service in this process, and an agent with a plugin listener that is to be started. */
async function site(t: TestContext): Promise<Site> {
  const directory = scratchDirectory(t)
  const kms = await startTestService(t)
  const { region } = kms.current
  const client = kms.kms()
  const { KeyMetadata } = await client.send(new CreateKeyCommand({}))
  const masterKeyId = KeyMetadata?.Arn ?? ''
  client.destroy()
  mkdirSync(join(directory, 'run'))
  const credentials = join(kms.directory, 'root-access-key')
  const log = new RecordingLog()
  return {
    kms,
    masterKeyId,
    log,
    options: { 'master-key-id': masterKeyId, 'endpoint-url': kms.current.url, region },
    socketOf: (name) => join(directory, 'run', name, 'agent.sock'),
    keyring: (name, ...options) => {
      const data = join(directory, name)
      mkdirSync(data, { recursive: true })
      const lines = [`store = directory:${data}`, `credentials-file = ${credentials}`, ...options]
      return `[keyring ${name}]\n${lines.join('\n')}\n`
    },
    start: async (...sections) => {
      const file = join(directory, 'agent.conf')
      writeFileSync(file, `[plugin-listener]\ndirectory = run\n${sections.join('')}`)
      const agent = await startAgent(readAgentConfig(file), log)
      t.after(() => agent.stop())
      return agent
    },
  }
}

const accepting = 'accept-options-from = plugin'

test('without a Vault listener it needs no token, and has a socket for each keyring', async (t) => {
  const { start, keyring, socketOf, options } = await site(t)
  const agent = await start(keyring('one', accepting), keyring('two'))
  assert.deepEqual(agent.addresses, [`unix:${socketOf('one')}`, `unix:${socketOf('two')}`])
  agent.reloadTokens()
  const client = await PluginClient.connect(socketOf('one'), options)
  const made = await client.getLatest(1)
  assert.ok(made?.type === 'key' && made.bytes.length === 32)
  client.close()
  const second = await PluginClient.open(socketOf('two'))
  const refused = await second.hello(options)
  assert.ok(refused?.type === 'refused')
  assert.match(refused.text, /does not say master-key-id, so there is none/)
})

test('a Vault listener beside it comes first', async (t) => {
  const { start, keyring, socketOf } = await site(t)
  const tokenFile = join(scratchDirectory(t), 'token')
  writeFileSync(tokenFile, 'an-example-token-of-some-length', { mode: 0o600 })
  const vault = '[vault-listener]\nlisten = 127.0.0.1:0\n'
  const agent = await start(vault, keyring('one', `token-file = ${tokenFile}`))
  assert.match(agent.addresses[0] ?? '', /^http:\/\/127\.0\.0\.1:\d+$/)
  assert.deepEqual(agent.addresses.slice(1), [`unix:${socketOf('one')}`])
})

test('a start that fails leaves no listener behind', async (t) => {
  const { start, keyring, socketOf } = await site(t)
  const [one, two] = [keyring('one'), keyring('two')]
  mkdirSync(join(socketOf('two'), '..'), { mode: 0o700 })
  writeFileSync(socketOf('two'), '')
  await assert.rejects(start(one, two), { code: 'SR_LISTEN_FAILED' })
  await assert.rejects(PluginClient.open(socketOf('one')), { code: 'ENOENT' })
  await assert.rejects(start('', one, '[plugin-listener]\ngroup = no-such-group\n'), {
    code: 'SR_LISTEN_FAILED',
    message: 'there is no group "no-such-group" on this machine: correct group in [plugin-listener]',
  })
})

test('ready does not wait for what the plugin is yet to say, but for all else', async (t) => {
  const { kms, start, keyring, socketOf, options, masterKeyId, log } = await site(t)
  const said = Object.entries(options).map(([name, value]) => `${name} = ${value}`)
  const first = await start(keyring('one', ...said), keyring('two', ...said))
  for (const name of ['one', 'two']) {
    const client = await PluginClient.connect(socketOf(name))
    assert.equal((await client.getLatest(1))?.type, 'key')
    client.close()
  }
  await first.stop()

  const admin = kms.kms()
  t.after(() => {
    admin.destroy()
  })
  await admin.send(new DisableKeyCommand({ KeyId: masterKeyId }))
  const agent = await start(keyring('one', accepting), keyring('two', ...said))
  let waiting: readonly string[] | undefined
  void agent.whenReady().then((names) => (waiting = names))
  await until('one waits for the server', () =>
    log
      .messages('info')
      .some((line) => /^aws-kms-key\.1\.1 waits .*not known before the server connects/.test(line)),
  )
  await until('two has failed', () => log.messages('error').some((line) => line.includes('is disabled')))
  assert.equal(log.messages('error').length, 1)
  assert.equal(waiting, undefined)
  await admin.send(new EnableKeyCommand({ KeyId: masterKeyId }))
  await until('the agent is ready', () => waiting !== undefined)
  assert.deepEqual(waiting, ['one'])

  const client = await PluginClient.connect(socketOf('one'), options)
  const key = await client.getLatest(1)
  assert.ok(key?.type === 'key' && !key.isGenerated)
  client.close()
})
