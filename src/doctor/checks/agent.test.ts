import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codesFound, examinedWith } from '../../../test/support/doctor.ts'
import { agentWith, configWith, keyWith, vaultConfig } from '../../../test/support/doctor-facts.ts'
import { seen, unseen } from '../looked.ts'
import { configuration, runningAgent } from './agent.ts'

test('a configuration that can not be read', (t) => {
  const broken = examinedWith({ config: unseen('agent.conf: [vault-listener] listen: is wrong') })
  assert.deepEqual(codesFound(configuration, broken), ['SRD_CONFIGURATION'])
  assert.deepEqual(codesFound(configuration, examinedWith(configWith(t, vaultConfig))), [])
})

test('several keyrings, and none is named', (t) => {
  const { config } = configWith(t, vaultConfig)
  const host = examinedWith({ config, keyring: unseen('name one with --keyring') })
  assert.deepEqual(configuration.run(host), [{ notChecked: 'name one with --keyring' }])
})

test('an agent that answers, one that does not, and one that can not be asked', (t) => {
  const config = configWith(t, vaultConfig)
  assert.deepEqual(codesFound(runningAgent, examinedWith({ ...config, agent: agentWith() })), [])
  const down = examinedWith({ ...config, agent: unseen('cannot reach the agent (ECONNREFUSED)') })
  assert.deepEqual(codesFound(runningAgent, down), ['SRD_AGENT_DOWN'])
  const silent = configWith(t, vaultConfig.replace(/^admin-socket.*$/m, ''))
  assert.deepEqual(codesFound(runningAgent, examinedWith({ ...silent, agent: seen(neverAsked()) })), [
    'SRD_ADMIN_SOCKET',
  ])
})

function neverAsked() {
  const agent = agentWith()
  if (!('seen' in agent)) throw new Error('not seen')
  return agent.seen
}

test('what only root may look at is not checked', (t) => {
  const forbidden = { unseen: 'cannot read it (EACCES)', isForbidden: true } as const
  assert.deepEqual(configuration.run(examinedWith({ config: forbidden })), [{ notChecked: forbidden.unseen }])
  const host = examinedWith({ ...configWith(t, vaultConfig), agent: forbidden })
  assert.deepEqual(runningAgent.run(host), [{ notChecked: forbidden.unseen }])
})

test('an agent without every key, also where it calls itself ready', (t) => {
  const config = configWith(t, vaultConfig)
  const waiting = agentWith({}, { isReady: false })
  assert.deepEqual(codesFound(runningAgent, examinedWith({ ...config, agent: waiting })), [
    'SRD_AGENT_NOT_READY',
  ])
  const lacking = agentWith({
    keys: [keyWith({ inMemory: 'same' }), keyWith({ version: 2, inMemory: 'none' })],
  })
  assert.deepEqual(codesFound(runningAgent, examinedWith({ ...config, agent: lacking })), [
    'SRD_AGENT_NOT_READY',
  ])
})

test('an agent that holds another key than the file', (t) => {
  const agent = agentWith({ keys: [keyWith({ inMemory: 'other' })] })
  const host = examinedWith({ ...configWith(t, vaultConfig), agent })
  assert.deepEqual(codesFound(runningAgent, host), ['SRD_AGENT_KEYS_DIFFER'])
})

test('an agent of another release than the installed one', (t) => {
  const host = examinedWith({ ...configWith(t, vaultConfig), agent: agentWith({}, { version: '1.2.2' }) })
  assert.deepEqual(codesFound(runningAgent, host), ['SRD_RESTART_PENDING'])
})
