import assert from 'node:assert/strict'
import { test } from 'node:test'
import { throughEachListener } from '../support/each-listener.ts'
import { agentIsReady, agentStack } from '../support/running-stack.ts'
import { until } from '../support/until.ts'
import { cannotReadMemory, occurrences, readMemory } from '../support/process-memory.ts'
import { servedKeys } from '../support/key-client.ts'

const keyCount = 20

throughEachListener((listener) => {
  test(
    'K6: in the memory of a started agent each key is there once, and not as a string',
    { skip: cannotReadMemory },
    async (t) => {
      const stack = await agentStack({ listener })
      t.after(() => stack.remove())
      const keyIds = Array.from({ length: keyCount }, (_, index) => index + 1)
      const keys = await servedKeys(stack, keyIds)
      await stack.agent.stop()
      await stack.startAgent()
      await until('the agent is ready', () => agentIsReady(stack))

      const memory = readMemory(stack.agent.pid)
      const count = (form: (key: Buffer) => Buffer) =>
        keys.reduce((sum, key) => sum + occurrences(memory, form(key)), 0)

      assert.equal(
        count((key) => key),
        keyCount,
      )
      assert.equal(
        count((key) => Buffer.from(key.toString('hex'))),
        0,
      )
      // Node.js's HTTP parser may still have the last of the answers in its own buffer.
      const asBase64 = count((key) => Buffer.from(key.toString('base64').slice(0, 43)))
      assert.ok(asBase64 <= 1, `${asBase64} keys as base64`)
    },
  )
})
