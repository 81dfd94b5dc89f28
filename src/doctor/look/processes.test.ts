import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { until } from '../../../test/support/until.ts'
import { isSeen } from '../looked.ts'
import { lookAtProcesses } from './processes.ts'

test('what a process has in its environment, and no value of it', async (t) => {
  const secret = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'
  const token = 'a-token-of-the-agent-0123'
  const child = spawn('sleep', ['60'], {
    env: {
      AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
      AWS_SECRET_ACCESS_KEY: secret,
      VAULT_TOKEN: token,
      MALLOC_PERTURB_: '1',
    },
  })
  t.after(async () => {
    const ended = once(child, 'exit')
    child.kill()
    await ended
  })
  await once(child, 'spawn')
  const found = () => {
    const looked = lookAtProcesses([token])
    assert.ok(isSeen(looked))
    assert.ok(!JSON.stringify(looked).includes(secret) && !JSON.stringify(looked).includes(token))
    return looked.seen.looked.find(({ pid }) => pid === child.pid)
  }
  await until('the program runs', () => found()?.name === 'sleep')
  assert.deepEqual(found(), {
    pid: child.pid,
    uid: process.getuid?.(),
    name: 'sleep',
    hasAwsSecret: true,
    hasKeyringToken: true,
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    credentialsFile: undefined,
    wipesFreedMemory: true,
  })
})
