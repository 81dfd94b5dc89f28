import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { optionsWith } from '../../../test/support/doctor-facts.ts'
import { scratchDirectory } from '../../../test/support/scratch.ts'
import { isSeen } from '../looked.ts'
import { configuredPlugin, lookAtPluginLoad } from './plugin-load.ts'

function optionsOf(server: Readonly<Record<string, string>>) {
  const options = optionsWith(server)
  assert.ok(isSeen(options))
  return options.seen
}

test('the plugin that the options name, in each form', () => {
  const plugin = (value: string, option = 'plugin_load_add') =>
    configuredPlugin(optionsOf({ [option]: value }))
  assert.equal(plugin('hashicorp_key_management.so'), 'hashicorp_key_management')
  assert.equal(plugin('hashicorp_key_management'), 'hashicorp_key_management')
  assert.equal(
    plugin('server_audit;aws_key_management=aws_key_management.so', 'plugin_load'),
    'aws_key_management',
  )
  assert.equal(plugin('file_key_management'), undefined)
})

test('the installed server loads the stock plugin, and says why it does not load another', (t) => {
  const stock = { plugin_load_add: 'hashicorp_key_management.so' }
  assert.deepEqual(lookAtPluginLoad(optionsOf(stock)), {
    seen: { plugin: 'hashicorp_key_management.so', complaint: undefined },
  })
  const folder = join(scratchDirectory(t), 'plugins')
  mkdirSync(folder)
  writeFileSync(join(folder, 'hashicorp_key_management.so'), 'no library')
  assert.match(
    JSON.stringify(lookAtPluginLoad(optionsOf({ ...stock, plugin_dir: folder }))),
    /"complaint":".*Can't open shared library/,
  )
})
