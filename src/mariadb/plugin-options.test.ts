import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pluginOptions } from './plugin-options.ts'
import { vaultOptions } from './vault-options.ts'

const socket = '/run/strongroom/mariadb/agent.sock'

test('the keys are required, and what is encrypted does not depend on where they come from', () => {
  const options = pluginOptions({ socket })
  assert.equal(options['plugin-load-add'], 'aws_key_management.so')
  assert.equal(options['aws-key-management'], 'FORCE_PLUS_PERMANENT')
  assert.equal(options['aws-key-management-socket'], socket)
  const others = Object.entries(vaultOptions({ vaultUrl: 'http://127.0.0.1:8201/v1/mariadb', token: 't' }))
  for (const [name, value] of others) if (name.includes('encrypt')) assert.equal(options[name], value, name)
  assert.equal('plugin-dir' in options, false)
})

test('the plugins may lie in a folder of their own', () => {
  assert.equal(pluginOptions({ socket, pluginFolder: '/srv/plugins' })['plugin-dir'], '/srv/plugins')
})
