import assert from 'node:assert/strict'
import { copyFileSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Stack } from '../../src/cli/demo/stack.ts'
import { throughEachListener } from '../support/each-listener.ts'
import { agentIsReady, complaints, generateCalls, serverStack } from '../support/running-stack.ts'
import { until } from '../support/until.ts'
import { keyAnswer, keyOutcome } from '../support/key-client.ts'

throughEachListener((listener) => {
  /** A data directory that has been used: keys 1, 2 and 3, the server stopped. */
  let stack: Stack
  const wanted = new Map<number, string | undefined>()

  before(async () => {
    stack = await serverStack({ listener })
    await stack.server.query('CREATE DATABASE d')
    await stack.server.query('CREATE TABLE d.one (n INT) ENCRYPTED=YES ENCRYPTION_KEY_ID=1')
    await stack.server.query('CREATE TABLE d.three (n INT) ENCRYPTED=YES ENCRYPTION_KEY_ID=3')
    await stack.server.query('INSERT INTO d.one VALUES (1)')
    await stack.server.query('INSERT INTO d.three VALUES (3)')
    await stack.stopServer()
    for (const keyId of [1, 2, 3]) wanted.set(keyId, await keyAnswer(stack, keyId))
    await stack.agent.stop()
  })

  after(() => stack.remove())

  function file(name: string): string {
    return join(stack.dataDirectory, name)
  }

  const damages: { what: string; says: RegExp; damage: (path: string) => void }[] = [
    { what: 'removed', says: /is missing although that version was issued/, damage: rmSync },
    {
      what: 'truncated to 0',
      says: /holds 0 bytes/,
      damage: (path) => {
        truncateSync(path, 0)
      },
    },
    {
      what: 'changed in one byte',
      says: /does not hold the bytes that were issued/,
      damage: (path) => {
        const bytes = readFileSync(path)
        bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 0x80, bytes.length - 1)
        writeFileSync(path, bytes)
      },
    },
    {
      what: "swapped with another's",
      says: /does not hold the bytes that were issued/,
      damage: (path) => {
        copyFileSync(file('aws-kms-key.2.1'), path)
      },
    },
  ]

  for (const { what, says, damage } of damages) {
    test(`K7: a key file ${what}: named, nothing created, the rest served; putting it back needs no restart`, async (t) => {
      const path = file('aws-kms-key.3.1')
      const good = readFileSync(path)
      const generated = generateCalls(stack)
      damage(path)
      await stack.startAgent()
      t.after(() => stack.agent.stop())
      await until('the agent complains', () => complaints(stack).length > 0)

      assert.equal(complaints(stack).length, 1)
      assert.ok(complaints(stack)[0]?.includes(path))
      assert.match(complaints(stack)[0] ?? '', says)
      assert.equal(await keyAnswer(stack, 1), wanted.get(1))
      assert.equal(await keyAnswer(stack, 2), wanted.get(2))
      assert.equal(await keyOutcome(stack, 3), 'unavailable')
      assert.equal(await keyOutcome(stack, 3, 1), 'unavailable')
      assert.equal(await keyOutcome(stack, 9), 'unavailable')
      assert.equal(agentIsReady(stack), false)

      // The server starts without that key; only its table is out of reach.
      const server = await stack.startServer()
      t.after(() => stack.stopServer())
      assert.equal((await server.query('SELECT n FROM d.one')).length, 1)
      await assert.rejects(server.query('SELECT n FROM d.three'))
      assert.equal(generateCalls(stack), generated)
      assert.equal(readdirSync(stack.dataDirectory).includes('aws-kms-key.9.1'), false)

      writeFileSync(path, good)
      await until('the agent is ready', () => agentIsReady(stack))
      assert.equal(await keyAnswer(stack, 3), wanted.get(3))
      await stack.stopServer()
      const again = await stack.startServer()
      assert.deepEqual(await again.query('SELECT n FROM d.three'), [{ n: 3 }])
      await stack.stopServer()
    })
  }

  test('K7: a key file of another place that the manifest has no digest of is refused by the KMS', async (t) => {
    const manifestFile = file('aws-kms-key.keyring.json')
    const manifest = readFileSync(manifestFile, 'utf8')
    const good = readFileSync(file('aws-kms-key.3.1'))
    copyFileSync(file('aws-kms-key.2.1'), file('aws-kms-key.3.1'))
    writeFileSync(manifestFile, manifest.replaceAll(/,\s*"sha256": "[0-9a-f]+"/g, ''))
    await stack.startAgent()
    t.after(() => stack.agent.stop())
    await until('the agent complains', () => complaints(stack).length > 0)

    const [said = ''] = complaints(stack)
    assert.match(said, /^AWS KMS plugin: key 3, version 1 could not be decrypted: /)
    assert.match(said, /InvalidCiphertextException.*request id [0-9a-f-]{36}/)
    assert.ok(said.includes(file('aws-kms-key.3.1')))
    assert.equal(await keyAnswer(stack, 1), wanted.get(1))
    assert.equal(await keyOutcome(stack, 3), 'unavailable')

    writeFileSync(file('aws-kms-key.3.1'), good)
    await until('the agent is ready', () => agentIsReady(stack))
    assert.equal(await keyAnswer(stack, 3), wanted.get(3))
  })

  for (const withManifest of [true, false]) {
    test(`K7: all key files removed, the manifest ${withManifest ? 'left' : 'too'}: nothing is created`, async (t) => {
      const names = readdirSync(stack.dataDirectory).filter((name) => name.startsWith('aws-kms-key'))
      const good = new Map(names.map((name) => [name, readFileSync(file(name))]))
      const generated = generateCalls(stack)
      for (const name of names) if (!withManifest || /\d$/.test(name)) rmSync(file(name))
      await stack.startAgent()
      t.after(() => stack.agent.stop())
      await until('the agent complains', () => complaints(stack).length > 0)

      for (const keyId of [1, 2, 3, 9]) assert.equal(await keyOutcome(stack, keyId), 'unavailable')
      const said = complaints(stack).join('\n')
      if (withManifest)
        for (const keyId of [1, 2, 3]) assert.ok(said.includes(file(`aws-kms-key.${keyId}.1`)))
      else assert.ok(said.includes(`${stack.dataDirectory} holds a database but no keys`))
      await assert.rejects(stack.startServer(), { code: 'SR_MARIADB_START' })
      assert.equal(generateCalls(stack), generated)

      for (const [name, bytes] of good) writeFileSync(file(name), bytes)
      await until('the agent is ready', () => agentIsReady(stack))
      for (const keyId of [1, 2, 3]) assert.equal(await keyAnswer(stack, keyId), wanted.get(keyId))
      const server = await stack.startServer()
      assert.deepEqual(await server.query('SELECT n FROM d.three'), [{ n: 3 }])
      await stack.stopServer()
    })
  }
})
