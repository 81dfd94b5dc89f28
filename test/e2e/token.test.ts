import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Stack } from '../../src/cli/demo/stack.ts'
import { agentSays, serverStack, vaultOf } from '../support/running-stack.ts'
import { until } from '../support/until.ts'
import { keyOutcome } from '../support/key-client.ts'

const next = 'the-token-that-comes-after-the-first'

test('K3: a running server outlives the change of its token, and needs the new one to start', async (t) => {
  const stack = await serverStack()
  t.after(() => stack.remove())
  await stack.server.query('CREATE DATABASE d')

  await setTokens(stack, [next])
  assert.equal(await keyOutcome(stack, 1), 'unavailable')
  await stack.server.query('FLUSH BINARY LOGS')
  await stack.server.query('CREATE TABLE d.t (n INT) ENCRYPTED=YES ENCRYPTION_KEY_ID=1')
  await stack.server.query('INSERT INTO d.t VALUES (1)')
  assert.equal((await stack.server.query('SHOW BINARY LOGS')).length, 2)
  await until('the agent says why', () => agentSays(stack, 'came without a valid token'))

  await stack.stopServer()
  await assert.rejects(stack.startServer(), { code: 'SR_MARIADB_START', message: /hashicorp/ })

  await setTokens(stack, [next, vaultOf(stack).token])
  const server = await stack.startServer()
  assert.deepEqual(await server.query('SELECT n FROM d.t'), [{ n: 1 }])
  assert.equal(await keyOutcome({ listener: { ...vaultOf(stack), token: next } }, 1), 'served')
})

async function setTokens(stack: Stack, tokens: readonly string[]): Promise<void> {
  const read = () => stack.agent.log().split('read the token files again').length
  const before = read()
  writeFileSync(join(stack.agentDirectory, 'mariadb.token'), `${tokens.join('\n')}\n`)
  process.kill(stack.agent.pid, 'SIGHUP')
  await until('the agent has read its tokens', () => read() > before)
}
