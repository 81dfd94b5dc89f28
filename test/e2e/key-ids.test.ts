import assert from 'node:assert/strict'
import { join } from 'node:path'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { readEncryptionStatus } from '../../src/mariadb/encryption-status.ts'
import { throughEachListener } from '../support/each-listener.ts'
import { serverStack } from '../support/running-stack.ts'
import { strongroom } from '../support/strongroom.ts'
import { until } from '../support/until.ts'
import { keyAnswer } from '../support/key-client.ts'

throughEachListener((listener) => {
  test('ids 100000 and 4294967295, and versions of two digits, on a real server and after a restart', async (t) => {
    const stack = await serverStack({ listener })
    t.after(() => stack.remove())
    const { server } = stack
    await server.query('CREATE DATABASE d')
    for (const keyId of [100_000, 4_294_967_295]) {
      await server.query(`CREATE TABLE d.t${keyId} (n INT) ENCRYPTED=YES ENCRYPTION_KEY_ID=${keyId}`)
      await server.query(`INSERT INTO d.t${keyId} VALUES (7)`)
      assert.ok(existsSync(join(stack.dataDirectory, `aws-kms-key.${keyId}.1`)))
    }
    const config = ['--config', join(stack.agentDirectory, 'agent.conf')]
    const versions = [await keyAnswer(stack, 100_000, 1)]
    for (let version = 2; version <= 12; version++) {
      const { stdout } = await strongroom(['keys', 'rotate', '100000', ...config])
      assert.equal(stdout, `key 100000, version ${version}, 256 bit\n`)
      versions.push(await keyAnswer(stack, 100_000, version))
    }
    assert.equal(new Set(versions).size, 12)
    await until('the server encrypts with version 12', async () => {
      const status = await readEncryptionStatus(server)
      return status.some(({ keyId, minKeyVersion }) => keyId === 100_000 && minKeyVersion === 12)
    })

    await stack.stopServer()
    await stack.agent.stop()
    await stack.startAgent()
    const again = await stack.startServer()

    for (const keyId of [100_000, 4_294_967_295]) {
      assert.deepEqual(await again.query(`SELECT n FROM d.t${keyId}`), [{ n: 7 }])
    }
    for (const [index, answer] of versions.entries()) {
      assert.equal(await keyAnswer(stack, 100_000, index + 1), answer)
    }
  })
})
