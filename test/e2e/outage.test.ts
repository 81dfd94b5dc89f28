import assert from 'node:assert/strict'
import { chmodSync } from 'node:fs'
import { test } from 'node:test'
import { DisableKeyCommand } from '@aws-sdk/client-kms'
import type { Stack } from '../../src/cli/demo/stack.ts'
import { type ListenerName, throughEachListener } from '../support/each-listener.ts'
import { asAdministrator, serverStack, setUserAccess } from '../support/running-stack.ts'
import { ordinaryUser } from '../support/ordinary-user.ts'
import { until } from '../support/until.ts'

const outages: { what: string; code: RegExp; begin: (stack: Stack) => Promise<void> }[] = [
  {
    what: 'the KMS service is stopped',
    code: /SR_KMS_UNREACHABLE/,
    begin: (stack) => stack.kms.stop(),
  },
  {
    what: 'the master key is disabled',
    code: /SR_MASTER_KEY_DISABLED/,
    begin: async (stack) => {
      await asAdministrator(stack, (kms) => kms.send(new DisableKeyCommand({ KeyId: stack.masterKeyArn })))
    },
  },
  {
    what: "the user's access is removed",
    code: /SR_KMS_ACCESS_DENIED/,
    begin: (stack) => setUserAccess(stack, false),
  },
  {
    what: 'the key directory is unreadable',
    code: /SR_STORE_UNREADABLE/,
    begin: (stack) => {
      chmodSync(stack.keyDirectory, 0o000)
      return Promise.resolve()
    },
  },
]

throughEachListener((listener) => {
  for (const { what, code, begin } of outages) {
    test(`K3: ${what}: a running server does all it did before, then also without the agent`, async (t) => {
      const stack = await serverWithKeyDirectory(listener)
      t.after(() => {
        chmodSync(stack.keyDirectory, 0o700)
        return stack.remove()
      })
      await stack.server.query('CREATE DATABASE d')
      await stack.server.query('CREATE TABLE d.t (n INT PRIMARY KEY) ENCRYPTED=YES ENCRYPTION_KEY_ID=3')

      await begin(stack)
      await useEverything(stack, 1)
      await assert.rejects(
        stack.server.query('CREATE TABLE d.fresh (n INT) ENCRYPTED=YES ENCRYPTION_KEY_ID=77'),
        /Can't create table|Unable to get key data/,
      )

      const said = () =>
        stack.agent
          .log()
          .split('\n')
          .filter((line) => line.includes('key 77, '))
      // The log is written beside the answer, not before it.
      await until('the agent has said why', () => said().length > 0)
      await useEverything(stack, 2)
      assert.equal(said().length, 1, said().join('\n'))
      assert.match(said()[0] ?? '', code)

      await stack.agent.stop('SIGKILL')
      await useEverything(stack, 3)
      await useEverything(stack, 4)
    })
  }
})

/** After the version cache has expired (it is set to 0), so that the agent is really asked. */
async function useEverything(stack: Stack, round: number): Promise<void> {
  const { server } = stack
  const logsBefore = (await server.query('SHOW BINARY LOGS')).length
  await server.query('FLUSH BINARY LOGS')
  for (const keyId of [1, 3]) {
    const table = `d.made_${round}_${keyId}`
    await server.query(`CREATE TABLE ${table} (n INT PRIMARY KEY) ENCRYPTED=YES ENCRYPTION_KEY_ID=${keyId}`)
    await server.query(`ALTER TABLE ${table} ADD COLUMN m INT, ALGORITHM=COPY`)
    await server.query(`INSERT INTO ${table} (n) SELECT n FROM d.t`)
  }
  await server.query('INSERT INTO d.t VALUES (?)', [round])
  const [row] = await server.query('SELECT COUNT(*) AS n FROM d.t')
  assert.equal(Number(row?.['n']), round)
  const [spill] = await server.query(
    'SELECT COUNT(DISTINCT a.seq, b.seq) AS n FROM d.seq_1_to_300 a, d.seq_1_to_300 b',
  )
  assert.equal(Number(spill?.['n']), 90_000)
  const [position] = await server.query('SHOW MASTER STATUS')
  assert.ok(Number(position?.['Position']) > 1000, 'what was written is in the binary log')
  assert.equal((await server.query('SHOW BINARY LOGS')).length, logsBefore + 1)
}

/** The keys lie beside the data directory, where the server does not need them, so that they can be made unreadable. */
async function serverWithKeyDirectory(listener: ListenerName): Promise<Stack> {
  return await serverStack({
    listener,
    keysBeside: true,
    agentWrapper: ordinaryUser,
    server: { 'max-heap-table-size': '16K', 'tmp-memory-table-size': '16K' },
  })
}
