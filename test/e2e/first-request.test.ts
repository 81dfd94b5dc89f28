import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { throughEachListener } from '../support/each-listener.ts'
import { agentStack, generateCalls } from '../support/running-stack.ts'
import { keyAnswer } from '../support/key-client.ts'

throughEachListener((listener) => {
  test('K5: 50 first requests at once for one id: one KMS call, one file, 50 equal answers', async (t) => {
    const stack = await agentStack({ listener })
    t.after(() => stack.remove())

    const answers = await Promise.all(Array.from({ length: 50 }, () => keyAnswer(stack, 5)))

    assert.equal(answers.length, 50)
    assert.notEqual(answers[0], undefined)
    assert.equal(new Set(answers).size, 1)
    assert.equal(generateCalls(stack), 1)
    const files = readdirSync(stack.dataDirectory)
      .filter((name) => name.includes('aws-kms-key'))
      .sort()
    assert.deepEqual(files, ['aws-kms-key.5.1', 'aws-kms-key.keyring.json'])
  })
})
