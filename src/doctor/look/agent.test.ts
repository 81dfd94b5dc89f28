import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configWith, vaultConfig } from '../../../test/support/doctor-facts.ts'
import { codesFound, examinedWith } from '../../../test/support/doctor.ts'
import { askAgent } from '../../cli/admin-client.ts'
import { StrongroomError } from '../../errors.ts'
import { agentExamination } from '../../agent/examination.ts'
import { runningAgent } from '../checks/agent.ts'
import { lookThroughAgent } from './agent.ts'

test('an agent of another release is told from one that is down', async (t) => {
  const { config, keyring } = configWith(t, vaultConfig)
  const found = async (ask: () => Promise<never>) => {
    const agent = await lookThroughAgent(config, keyring, ask)
    const host = examinedWith({ config, keyring, agent })
    return { codes: codesFound(runningAgent, host), text: JSON.stringify(runningAgent.run(host)) }
  }
  // What the release before `strongroom doctor` answers to a path that it does not know.
  const old = new StrongroomError('SR_ADMIN_FAILED', 'the agent has no keyring ""; it has mariadb')
  const before = await found(() => Promise.reject(old))
  assert.deepEqual(before.codes, ['SRD_RESTART_PENDING'])
  assert.match(before.text, /is of another release, .*; it answers: the agent has no keyring/)

  const later = await found(() => Promise.resolve().then(() => never(agentExamination.parse({ keys: 3 }))))
  assert.deepEqual(later.codes, ['SRD_RESTART_PENDING'])
  assert.match(later.text, /it answers something that is not known here/)

  const down = await found(() =>
    askAgent('/nowhere/admin.sock', { method: 'POST', path: '/', answer: agentExamination.transform(never) }),
  )
  assert.deepEqual(down.codes, ['SRD_AGENT_DOWN'])
})

function never(answer: object): never {
  throw new Error(`nobody is there who could answer ${Object.keys(answer).join()}`)
}
