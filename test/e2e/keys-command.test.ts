import assert from 'node:assert/strict'
import { rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import type { Stack } from '../../src/cli/demo/stack.ts'
import { throughEachListener } from '../support/each-listener.ts'
import { agentStack } from '../support/running-stack.ts'
import { strongroom } from '../support/strongroom.ts'
import { keyAnswer, keyOutcome } from '../support/key-client.ts'

throughEachListener((listener) => {
  let stack: Stack
  let config: string[]

  before(async () => {
    stack = await agentStack({ listener, keyring: { 'create-keys': 'off' } })
    config = ['--config', join(stack.agentDirectory, 'agent.conf')]
  })

  after(() => stack.remove())

  test('the admin socket belongs to the agent’s user alone', () => {
    const { mode } = statSync(join(stack.agentDirectory, 'admin.sock'))
    assert.equal(mode & 0o777, 0o600)
  })

  test('keys are created, rotated and listed at the operator’s word, whatever the creation rule', async () => {
    assert.equal(await keyOutcome(stack, 1), 'absent')
    assert.deepEqual(await strongroom(['keys', 'create', '1', ...config]), {
      code: 0,
      stdout: 'key 1, version 1, 256 bit\n',
      stderr: '',
    })
    const { stdout } = await strongroom(['keys', 'rotate', '1', '--json', ...config])
    assert.deepEqual(JSON.parse(stdout), { keyId: 1, version: 2, bitLength: 256 })
    assert.match((await keyAnswer(stack, 1)) ?? '', /^2:/)
    const list = await strongroom(['keys', 'list', ...config])
    assert.equal(
      list.stdout,
      `key 1, version 1  256 bit          ${stack.masterKeyArn}\nkey 1, version 2  256 bit, latest  ${stack.masterKeyArn}\n`,
    )
  })

  test('a database that was never encrypted gets its first key only at the operator’s word', async (t) => {
    const other = await agentStack({ listener })
    t.after(() => other.remove())
    writeFileSync(join(other.dataDirectory, 'ibdata1'), 'a database that was never encrypted')
    assert.equal(await keyOutcome(other, 1), 'unavailable')
    const run = await strongroom([
      'keys',
      'create',
      '1',
      '--config',
      join(other.agentDirectory, 'agent.conf'),
    ])
    assert.equal(run.stdout, 'key 1, version 1, 256 bit\n')
    assert.notEqual(await keyAnswer(other, 1), undefined)
    rmSync(join(other.dataDirectory, 'ibdata1'))
  })
})

suite('what is refused', () => {
  let config: string[] = []
  let stack: Stack

  before(async () => {
    stack = await agentStack()
    config = ['--config', join(stack.agentDirectory, 'agent.conf')]
    await strongroom(['keys', 'create', '1', ...config])
    await strongroom(['keys', 'rotate', '1', ...config])
  })

  after(() => stack.remove())

  for (const { args, code, says } of [
    {
      args: ['create', '1'],
      code: 1,
      says: /key 1 exists, its latest version is 2: rotate it \[SR_KEY_PRESENT\]/,
    },
    { args: ['rotate', '9'], code: 1, says: /key 9 has no version .* \[SR_KEY_ABSENT\]/ },
    { args: ['rotate'], code: 2, says: /takes list, create ID or rotate ID/ },
    { args: ['rotate', 'x'], code: 2, says: /"x" is no key id: they go from 1 to 4294967295/ },
    { args: ['rotate', '4294967296'], code: 2, says: /is no key id/ },
    { args: ['list', '--keyring', 'other'], code: 1, says: /no keyring "other"; it has mariadb/ },
    { args: ['list', '--colour'], code: 2, says: /--colour/ },
  ]) {
    test(`refused: strongroom keys ${args.join(' ')}`, async () => {
      const run = await strongroom(['keys', ...args, ...config])
      assert.equal(run.code, code)
      assert.equal(run.stdout, '')
      assert.match(run.stderr, says)
      assert.match(run.stderr, /^strongroom: /)
    })
  }

  test('without an agent the command says so', async (t) => {
    const other = await agentStack()
    t.after(() => other.remove())
    await other.agent.stop()
    const run = await strongroom(['keys', 'list', '--config', join(other.agentDirectory, 'agent.conf')])
    assert.equal(run.code, 1)
    assert.match(run.stderr, /cannot reach the agent at .*admin\.sock \(E[A-Z]+\).*\[SR_ADMIN_FAILED\]/)
  })
})
