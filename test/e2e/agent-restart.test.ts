import assert from 'node:assert/strict'
import { test } from 'node:test'
import { logLines } from '../../src/cli/demo/log-lines.ts'
import { throughEachListener } from '../support/each-listener.ts'
import { agentIsReady, agentSays, agentStack, complaints } from '../support/running-stack.ts'
import { until } from '../support/until.ts'
import { keyAnswer, keyOutcome } from '../support/key-client.ts'

throughEachListener((listener) => {
  test('K4: an agent restarted while the KMS is down waits, says for what, and becomes ready by itself', async (t) => {
    const stack = await agentStack({ listener })
    t.after(() => stack.remove())
    const answers = [await keyAnswer(stack, 1), await keyAnswer(stack, 2)]
    assert.ok(answers[0] !== undefined && answers[1] !== undefined)
    await stack.agent.stop()
    await stack.kms.stop()

    await stack.startAgent()
    const retries = () =>
      logLines(stack.agent).flatMap(({ msg }) => /next try in (\d+) ms/.exec(msg)?.[1] ?? [])
    await until('it has tried four times', () => retries().length >= 4)

    assert.deepEqual(retries().slice(0, 4), ['250', '500', '1000', '2000'])
    assert.equal(agentIsReady(stack), false)
    const [said = '', ...more] = complaints(stack)
    assert.deepEqual(more, [])
    assert.match(said, /^aws-kms-key\.1\.1, aws-kms-key\.2\.1 wait for master key /)
    assert.ok(said.includes(stack.masterKeyArn))
    assert.match(said, /cannot reach http:\/\/127\.0\.0\.1:\d+ \(ECONNREFUSED\)/)
    assert.equal(await keyOutcome(stack, 1), 'unavailable')

    await stack.startKms()
    await until('it is ready', () => agentIsReady(stack))
    await until('it says so', () => agentSays(stack, 'the keyring is whole again'))
    assert.deepEqual([await keyAnswer(stack, 1), await keyAnswer(stack, 2)], answers)
  })

  test('SIGTERM ends the agent at once, also while it waits for a KMS', async (t) => {
    const stack = await agentStack({ listener })
    t.after(() => stack.remove())
    await keyAnswer(stack, 1)
    await stack.agent.stop()
    assert.deepEqual(await stack.agent.exited, { code: 0, signal: null })
    await stack.kms.stop()
    await stack.startAgent()
    await until('it waits', () => complaints(stack).length > 0)
    await stack.agent.stop()
    assert.deepEqual(await stack.agent.exited, { code: 0, signal: null })
  })
})
