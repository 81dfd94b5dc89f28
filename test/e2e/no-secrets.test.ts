import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { filesHolding } from '../../src/cli/demo/file-search.ts'
import { demoSteps } from '../../src/cli/demo/show.ts'
import type { Stack } from '../../src/cli/demo/stack.ts'
import { runSteps } from '../../src/cli/demo/steps.ts'
import { throughEachListener } from '../support/each-listener.ts'
import { emptyStack } from '../support/running-stack.ts'
import { servedKeys } from '../support/key-client.ts'

/** Every form in which a key or secret could be written down. */
function forms(secret: Buffer): { form: string; bytes: Buffer }[] {
  const hex = secret.toString('hex')
  const base64 = secret.toString('base64')
  return [
    { form: 'raw', bytes: secret },
    { form: 'hex', bytes: Buffer.from(hex) },
    { form: 'HEX', bytes: Buffer.from(hex.toUpperCase()) },
    { form: 'base64', bytes: Buffer.from(base64.replace(/=+$/, '')) },
    { form: 'base64url', bytes: Buffer.from(secret.toString('base64url')) },
  ]
}

throughEachListener((listener) => {
  test('K6: the whole demo at the most verbose level writes no key and no secret anywhere', async (t) => {
    const stack = await emptyStack({ listener, logLevel: 'trace' })
    t.after(() => stack.remove())
    const written: string[] = []
    const results = await runSteps(demoSteps(stack), {
      isTTY: false,
      write: (text) => {
        written.push(text)
        return true
      },
    })
    assert.ok(
      results.every(({ held }) => held),
      written.join(''),
    )

    const keys = await servedKeys(stack, [1, 2, 3])
    for (const [index, key] of keys.entries()) {
      for (const { form, bytes } of forms(key)) {
        assert.ok(!Buffer.from(written.join('')).includes(bytes), `key ${index + 1} as ${form} in the output`)
        assert.deepEqual(
          (await filesHolding(stack.directory, bytes)).found,
          [],
          `key ${index + 1} as ${form}`,
        )
        assertNotInProcesses(stack, bytes)
      }
    }
    for (const { form, bytes } of forms(readFileSync(join(stack.kmsDirectory, 'root-key')).subarray(-32))) {
      assert.deepEqual(
        (await filesHolding(stack.directory, bytes)).found,
        form === 'raw' ? ['kms/root-key'] : [],
      )
    }
    const secret = await filesHolding(stack.directory, secretOf(stack.user.credentialsFile))
    assert.deepEqual(secret.found, ['agent/credentials'])
    for (const log of ['agent.log', 'kms.log', 'server/error.log', 'kms/audit-trail.jsonl']) {
      assert.ok(secret.searched.includes(log), log)
    }
    if (stack.listener.name !== 'vault') return
    const token = await filesHolding(stack.directory, stack.listener.token)
    assert.deepEqual([...token.found].sort(), ['agent/mariadb.token', 'server/server.cnf'])
  })
})

function assertNotInProcesses(stack: Stack, bytes: Buffer): void {
  for (const pid of [stack.kms.pid, stack.agent.pid, stack.server.pid]) {
    for (const file of ['cmdline', 'environ']) {
      assert.ok(!readFileSync(`/proc/${pid}/${file}`).includes(bytes), `${file} of ${pid}`)
    }
  }
}

function secretOf(credentialsFile: string): string {
  return /aws_secret_access_key = (\S+)/.exec(readFileSync(credentialsFile, 'utf8'))?.[1] ?? ''
}
