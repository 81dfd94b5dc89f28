import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chownSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { DecryptCommand, GenerateDataKeyWithoutPlaintextCommand } from '@aws-sdk/client-kms'
import { manifestFileName, parseManifest } from '../../src/keyring/manifest.ts'
import type { Stack } from '../../src/cli/demo/stack.ts'
import { commandFor, serverAccount } from '../../src/mariadb/account.ts'
import { readEncryptionStatus } from '../../src/mariadb/encryption-status.ts'
import { throughEachListener } from '../support/each-listener.ts'
import { agentIsReady, asAdministrator, agentStack, auditTrail } from '../support/running-stack.ts'
import { strongroom } from '../support/strongroom.ts'
import { until } from '../support/until.ts'
import { keyAnswer } from '../support/key-client.ts'

throughEachListener((listener) => {
  test('a data directory with the key files of the old plugin is served as it is', async (t) => {
    const stack = await agentStack({ listener })
    t.after(() => stack.remove())
    await stack.agent.stop()
    rmSync(join(stack.dataDirectory, manifestFileName), { force: true })
    const wanted = new Map<string, string>()
    for (const [keyId, version] of [
      [1, 1],
      [1, 2],
      [2, 1],
    ] as const) {
      wanted.set(`${keyId}.${version}`, await writeAsOldPlugin(stack, keyId, version))
    }

    await stack.startAgent()
    await until('the agent is ready', () => agentIsReady(stack))

    for (const [name, hex] of wanted) {
      const [keyId, version] = name.split('.').map(Number)
      assert.match(
        (await keyAnswer(stack, keyId ?? 0, version)) ?? '',
        new RegExp(`^${version ?? 0}:${hex}$`),
        name,
      )
    }
    assert.match((await keyAnswer(stack, 1)) ?? '', /^2:/)
    const manifest = parseManifest(
      readFileSync(join(stack.dataDirectory, manifestFileName), 'utf8'),
      'manifest',
    )
    assert.equal(manifest.encryptionContext, 'none')
    assert.deepEqual(
      manifest.keys.map(({ keyId, version, masterKey }) => [keyId, version, masterKey]),
      [
        [1, 1, stack.masterKeyArn],
        [1, 2, stack.masterKeyArn],
        [2, 1, stack.masterKeyArn],
      ],
    )
    // Initialised and used by a real server, with keys of 128 bit and a third of 256.
    await stack.initialise()
    const server = await stack.startServer()
    await server.query('CREATE DATABASE d')
    await server.query('CREATE TABLE d.t (n INT) ENCRYPTED=YES ENCRYPTION_KEY_ID=3')
    await server.query('INSERT INTO d.t VALUES (1)')
    await rotate(stack, 1)
    await stack.stopServer()
    await stack.agent.stop()
    await stack.startAgent()
    const again = await stack.startServer()
    assert.equal((await again.query('SELECT n FROM d.t')).length, 1)
    assert.match((await keyAnswer(stack, 1)) ?? '', /^3:/)
    const contexts = auditTrail(stack)
      .filter(({ eventName }) => ['Decrypt', 'GenerateDataKeyWithoutPlaintext'].includes(eventName))
      .map(({ requestParameters }) => requestParameters?.['encryptionContext'])
    assert.ok(contexts.length > 0)
    assert.ok(contexts.every((context) => context === undefined || context === null))
  })

  test('with encryption-context = none a keyring is one that the old plugin could take over, also once rotated', async (t) => {
    const keyring = { 'encryption-context': 'none', 'key-spec': 'AES_128' }
    const stack = await agentStack({ listener, keyring })
    t.after(() => stack.remove())
    await stack.initialise()
    const server = await stack.startServer()
    await rotate(stack, 1)
    await server.query('CREATE DATABASE d')
    await server.query('CREATE TABLE d.t (n INT) ENCRYPTED=YES ENCRYPTION_KEY_ID=1')

    const found = await readAsOldPlugin(stack)

    assert.deepEqual([...found.keys()].sort(), ['1.1', '1.2', '2.1'])
    for (const [name, hex] of found) {
      const [keyId = 0, version = 0] = name.split('.').map(Number)
      assert.equal(hex.length, 32, name)
      assert.equal(await keyAnswer(stack, keyId, version), `${version}:${hex}`)
    }
    const table = (await readEncryptionStatus(server)).find(({ name }) => name === 'd/t')
    assert.equal(table?.currentKeyVersion, 2)
  })
})

/** As the operator of that listener does. */
async function rotate(stack: Stack, keyId: number): Promise<void> {
  if (stack.listener.name === 'plugin') {
    await stack.server.query(`SET GLOBAL aws_key_management_rotate_key = ${keyId}`)
    return
  }
  const config = join(stack.agentDirectory, 'agent.conf')
  const { code, stderr } = await strongroom(['keys', 'rotate', String(keyId), '--config', config])
  assert.equal(code, 0, stderr)
}

/**
 * As the old plugin does at a start: as the server's user, every file of the data directory that is named as a key, Decrypt
 * with no context. Resolves to the keys in hex.
 */
async function readAsOldPlugin(stack: Stack): Promise<Map<string, string>> {
  const names = readdirSync(stack.dataDirectory).filter((name) => /^aws-kms-key\.\d+\.\d+$/.test(name))
  const found = new Map<string, string>()
  await asAdministrator(stack, async (kms) => {
    for (const name of names) {
      const [command, args] = commandFor(serverAccount(), 'cat', join(stack.dataDirectory, name))
      const CiphertextBlob = execFileSync(command, args)
      const { Plaintext = new Uint8Array() } = await kms.send(new DecryptCommand({ CiphertextBlob }))
      found.set(name.slice('aws-kms-key.'.length), Buffer.from(Plaintext).toString('hex'))
    }
  })
  return found
}

/** As the old plugin does: GenerateDataKeyWithoutPlaintext with no context, the blob to a file. Resolves to the key in hex. */
async function writeAsOldPlugin(stack: Stack, keyId: number, version: number): Promise<string> {
  return await asAdministrator(stack, async (kms) => {
    const input = { KeyId: stack.masterKeyArn, KeySpec: 'AES_128' as const }
    const { CiphertextBlob = new Uint8Array() } = await kms.send(
      new GenerateDataKeyWithoutPlaintextCommand(input),
    )
    const file = join(stack.dataDirectory, `aws-kms-key.${keyId}.${version}`)
    writeFileSync(file, CiphertextBlob, { mode: 0o444 })
    const owner = statSync(stack.dataDirectory)
    chownSync(file, owner.uid, owner.gid)
    const { Plaintext = new Uint8Array() } = await kms.send(new DecryptCommand({ CiphertextBlob }))
    return Buffer.from(Plaintext).toString('hex')
  })
}
