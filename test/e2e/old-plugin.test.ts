import assert from 'node:assert/strict'
import { chownSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { DecryptCommand, GenerateDataKeyWithoutPlaintextCommand } from '@aws-sdk/client-kms'
import { manifestFileName, parseManifest } from '../../src/keyring/manifest.ts'
import type { Stack } from '../../src/cli/demo/stack.ts'
import { throughEachListener } from '../support/each-listener.ts'
import { agentIsReady, asAdministrator, agentStack, auditTrail } from '../support/running-stack.ts'
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
    await stack.stopServer()
    await stack.agent.stop()
    await stack.startAgent()
    const again = await stack.startServer()
    assert.equal((await again.query('SELECT n FROM d.t')).length, 1)
    const contexts = auditTrail(stack)
      .filter(({ eventName }) => eventName === 'Decrypt')
      .map(({ requestParameters }) => requestParameters?.['encryptionContext'])
    assert.ok(contexts.length > 0)
    assert.ok(contexts.every((context) => context === undefined || context === null))
  })
})

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
