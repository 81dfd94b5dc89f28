import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { exampleRegion } from '../../src/cli/demo/kms-setup.ts'
import type { Stack } from '../../src/cli/demo/stack.ts'
import { messageOf } from '../../src/errors.ts'
import type { Options } from '../../src/mariadb/option-file.ts'
import { prepareServer, type PreparedServer } from '../../src/mariadb/server.ts'
import { agentIsReady, agentSays, agentStack, pluginOf, serverStack } from '../support/running-stack.ts'
import { until } from '../support/until.ts'

suite('an agent that is told everything', () => {
  let stack: Stack

  before(async () => {
    stack = await serverStack({ listener: 'plugin', keyring: { 'key-spec': 'AES_256' } })
    await stack.stopServer()
  })

  after(() => stack.remove())

  for (const { option, value, against } of [
    { option: 'master-key-id', value: 'alias/other', against: () => `master-key-id = ${stack.masterKeyArn}` },
    { option: 'key-spec', value: 'AES_128', against: () => 'key-spec = AES_256' },
    { option: 'region', value: 'eu-west-1', against: () => `region = ${exampleRegion}` },
    { option: 'endpoint-url', value: 'http://127.0.0.1:9', against: () => `endpoint-url = ${stack.kms.url}` },
  ]) {
    test(`a ${option} that contradicts it stops the start, and both values are shown`, async () => {
      const says = await failure(await serverWith(stack, { [`aws-key-management-${option}`]: value }))
      const variable = `aws_key_management_${option.replaceAll('-', '_')}`
      assert.ok(says.includes(`AWS KMS plugin: MariaDB's options say ${variable} = ${value}, but `), says)
      assert.ok(says.includes(`${join(stack.agentDirectory, 'agent.conf')} says ${against()}: `), says)
      await until('the agent says so too', () =>
        agentSays(stack, `MariaDB's options say ${variable} = ${value}`),
      )
    })
  }

  test('a value that is none is refused by its name', async () => {
    const option = { 'aws-key-management-endpoint-url': 'somewhere' }
    assert.match(
      await failure(await serverWith(stack, option)),
      /AWS KMS plugin: aws_key_management_endpoint_url = "somewhere" in MariaDB's options: must be an https URL/,
    )
  })

  test('options that say the same are no contradiction', async () => {
    const prepared = await serverWith(stack, {
      'aws-key-management-master-key-id': stack.masterKeyArn,
      'aws-key-management-key-spec': 'AES_256',
      'aws-key-management-region': exampleRegion,
      'aws-key-management-endpoint-url': stack.kms.url,
      'aws-key-management-request-timeout': '7000',
      'aws-key-management-log-level': 'Debug',
    })
    const server = await prepared.start()
    const [row] = await server.query('SELECT @@aws_key_management_log_level AS level')
    assert.equal(row?.['level'], 'Debug')
    await server.stop()
    assert.match(readFileSync(prepared.errorLog, 'utf8'), /AWS KMS plugin: connected to the agent at /)
  })

  test('a path that is too long for a socket stops the start, and says so', async () => {
    const path = `/run/${'x'.repeat(110)}/agent.sock`
    const says = await failure(await serverWith(stack, { 'aws-key-management-socket': path }))
    assert.match(says, /AWS KMS plugin: the path of a socket has at most 107 bytes, and this has 126/)
  })

  const vault: Options = {
    'hashicorp-key-management': 'FORCE',
    'hashicorp-key-management-vault-url': 'http://127.0.0.1:9/v1/mariadb',
    'hashicorp-key-management-token': 'none',
    'hashicorp-key-management-check-kv-version': 'off',
    'hashicorp-key-management-max-retries': '0',
  }

  // The server begins with the last of its plugins (10.11.19), and has room for one that encrypts.
  test('beside the stock Vault plugin, before it: the start ends, and says whose place is taken', async () => {
    const list = 'aws_key_management.so;hashicorp_key_management.so'
    const says = await failure(await serverWith(stack, { 'plugin-load-add': list, ...vault }))
    assert.match(says, /AWS KMS plugin: not started, because \S+hashicorp_key_management\.so is active/)
  })

  test('beside the stock Vault plugin, behind it: the start ends, and names the one that has no place', async () => {
    const list = 'hashicorp_key_management.so;aws_key_management.so'
    const says = await failure(await serverWith(stack, { 'plugin-load-add': list, ...vault }))
    assert.match(says, /Plugin 'hashicorp_key_management' registration as a ENCRYPTION failed/)
  })
})

suite('an agent with accept-options-from = plugin', () => {
  let stack: Stack
  const configFile = () => join(stack.agentDirectory, 'agent.conf')

  before(async () => {
    stack = await agentStack({ listener: 'plugin', keyring: { 'accept-options-from': 'plugin' } })
    await stack.agent.stop()
  })

  after(() => stack.remove())

  test('takes the master key from the server’s options, makes keys with it, and knows it again', async () => {
    rewriteConfig(configFile(), /^(master-key-id|region|endpoint-url) = .*\n/gm, '')
    const options = {
      'aws-key-management-master-key-id': stack.masterKeyArn,
      'aws-key-management-region': exampleRegion,
      'aws-key-management-endpoint-url': stack.kms.url,
      'aws-key-management-key-spec': 'AES_128',
    }
    const prepared = await serverWith(stack, options)
    await stack.startAgent()
    await prepared.initialise()
    await until('the agent says what it takes', () =>
      agentSays(stack, `takes from MariaDB's options: master-key-id = ${stack.masterKeyArn}`),
    )
    const server = await prepared.start()
    await server.query('CREATE DATABASE d')
    await server.query('CREATE TABLE d.t (n INT) ENCRYPTION_KEY_ID=3')
    await server.query('INSERT INTO d.t VALUES (1)')
    assert.match(readFileSync(prepared.errorLog, 'utf8'), /loaded key 3, version 1, key length 128 bit/)
    assert.ok(existsSync(join(stack.dataDirectory, 'aws-kms-key.3.1')))
    await server.stop()

    // Nobody tells the agent after its own start, until the server comes.
    await stack.agent.stop()
    await stack.startAgent()
    await until('systemd need not wait for the server', () => agentIsReady(stack))
    const again = await prepared.start()
    assert.deepEqual(await again.query('SELECT n FROM d.t'), [{ n: 1 }])
    await again.stop()
  })

  test('and still refuses what contradicts its configuration', async () => {
    await stack.agent.stop()
    rewriteConfig(configFile(), /^(\[keyring .*)$/m, '$1\nregion = eu-west-1')
    await stack.startAgent()
    const option = { 'aws-key-management-region': exampleRegion }
    const says = await failure(await serverWith(stack, option))
    assert.ok(says.includes(`aws_key_management_region = ${exampleRegion}, but `), says)
    assert.ok(says.includes('says region = eu-west-1: '), says)
  })
})

/** The stack's server, which does not run, with more options. */
async function serverWith(stack: Stack, options: Options): Promise<PreparedServer> {
  return await prepareServer({
    directory: join(stack.directory, 'server'),
    options: { ...pluginOf(stack).server, 'log-bin': 'binlog', ...options },
  })
}

async function failure(prepared: PreparedServer): Promise<string> {
  return await prepared.start().then(async (server) => {
    await server.kill()
    return 'it started'
  }, messageOf)
}

function rewriteConfig(file: string, from: RegExp, to: string): void {
  const text = readFileSync(file, 'utf8')
  const changed = text.replace(from, to)
  assert.notEqual(changed, text)
  writeFileSync(file, changed)
}
