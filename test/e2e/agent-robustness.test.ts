import assert from 'node:assert/strict'
import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import { openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test, type TestContext } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { createUser, keyPolicy } from '../../src/cli/demo/kms-setup.ts'
import type { Stack } from '../../src/cli/demo/stack.ts'
import { PutKeyPolicyCommand } from '@aws-sdk/client-kms'
import { throughEachListener } from '../support/each-listener.ts'
import { agentSays, agentStack, asAdministrator } from '../support/running-stack.ts'
import { program } from '../support/strongroom.ts'
import { until } from '../support/until.ts'
import { keyAnswer, keyOutcome } from '../support/key-client.ts'

throughEachListener((listener) => {
  let stack: Stack
  let wanted: string | undefined

  before(async () => {
    stack = await agentStack({ listener })
    wanted = await keyAnswer(stack, 1)
    await stack.agent.stop()
  })

  after(() => stack.remove())

  test('K3: a log on a full disk neither stops nor ends the agent', async (t) => {
    const full = openSync('/dev/full', 'w')
    const agent = runAgent(t, stack, ['ignore', 'ignore', full])
    await until('key 1 is served', async () => (await keyAnswer(stack, 1)) === wanted)
    for (let sent = 0; sent < 20; sent++) {
      agent.kill('SIGHUP')
      assert.equal(await keyAnswer(stack, 1), wanted)
    }
    assert.equal(await keyAnswer(stack, 1), wanted)
    assert.equal(agent.exitCode, null)
    agent.kill('SIGTERM')
    assert.deepEqual(await once(agent, 'exit'), [0, null])
  })

  test('K3: a reader of its log that stalls does not stop the agent, and one of its output that has gone does not end it', async (t) => {
    const agent = runAgent(t, stack, ['ignore', 'pipe', 'pipe'])
    agent.stdout?.destroy()
    await until('key 1 is served', async () => (await keyAnswer(stack, 1)) === wanted)
    // Far more than a pipe holds.
    for (let sent = 0; sent < 2000; sent++) {
      agent.kill('SIGHUP')
      if (sent % 100 === 0) assert.equal(await keyAnswer(stack, 1), wanted)
    }
    assert.equal(await keyAnswer(stack, 1), wanted)
    assert.equal(agent.exitCode, null)
  })

  test('SIGHUP while the agent starts does not end it', async (t) => {
    const agent = runAgent(t, stack, 'ignore')
    for (let sent = 0; sent < 40; sent++) {
      await setTimeout(10)
      // Until the program has begun, a signal ends any.
      if (agent.pid !== undefined && catchesHangUp(agent.pid)) agent.kill('SIGHUP')
    }
    await until('key 1 is served', async () => (await keyAnswer(stack, 1)) === wanted)
  })

  test('K4: renewed credentials are used without a restart', async (t) => {
    const file = stack.user.credentialsFile
    const good = readFileSync(file, 'utf8')
    writeFileSync(file, good.replace(/aws_access_key_id = \S+/, 'aws_access_key_id = AKIAIOSFODNN7EXAMPLE'))
    await stack.startAgent()
    t.after(() => stack.agent.stop())
    await until('they are refused', () =>
      agentSays(stack, /does not accept the agent's credentials from .*credentials; renew them there/),
    )
    assert.equal(await keyOutcome(stack, 1), 'unavailable')

    const other = await createUser(
      stack.administrator,
      'mariadb-2',
      join(stack.agentDirectory, 'credentials-2'),
    )
    await asAdministrator(stack, async (kms) => {
      const Policy = JSON.stringify(keyPolicy(other.arn))
      await kms.send(new PutKeyPolicyCommand({ KeyId: stack.masterKeyArn, PolicyName: 'default', Policy }))
    })
    writeFileSync(file, readFileSync(other.credentialsFile))
    await until('key 1 is served', async () => (await keyAnswer(stack, 1)) === wanted)

    // And again, now that the agent has been ready: a new key needs them.
    writeFileSync(file, good.replace(/aws_access_key_id = \S+/, 'aws_access_key_id = AKIAIOSFODNN7EXAMPLE'))
    let keyId = 1
    await until('a new key is refused', async () => (await keyOutcome(stack, ++keyId)) === 'unavailable')
    writeFileSync(file, readFileSync(other.credentialsFile))
    await until('it is made', async () => (await keyOutcome(stack, keyId)) === 'served')
  })

  test('K8: a look-up of credentials that never ends holds nothing up for good', async (t) => {
    const file = stack.user.credentialsFile
    const configFile = join(stack.agentDirectory, 'agent.conf')
    const config = readFileSync(configFile, 'utf8')
    writeFileSync(configFile, `${config}\nrequest-timeout = 500\n`)
    writeFileSync(file, '[default]\ncredential_process = sleep 30\n')
    await stack.startAgent()
    t.after(() => stack.agent.stop())
    await until('it is told of', () =>
      agentSays(stack, /no AWS credentials were to be had from .*\(no answer within 450 ms\)/),
    )
    writeFileSync(file, readFileSync(join(stack.agentDirectory, 'credentials-2')))
    await until('key 1 is served', async () => (await keyAnswer(stack, 1)) === wanted)
    writeFileSync(configFile, config)
  })
})

/** The same agent with its outputs somewhere else. */
function runAgent(t: TestContext, stack: Stack, stdio: StdioOptions): ChildProcess {
  const config = join(stack.agentDirectory, 'agent.conf')
  const agent = spawn(program, ['agent', '--config', config], { stdio })
  const exited = new Promise((resolve) => agent.once('exit', resolve))
  t.after(async () => {
    agent.kill('SIGKILL')
    await exited
  })
  return agent
}

/** Whether the process catches SIGHUP (proc(5), `SigCgt`). */
function catchesHangUp(pid: number): boolean {
  const mask = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0'
  return (BigInt(`0x${mask}`) & 1n) === 1n
}
