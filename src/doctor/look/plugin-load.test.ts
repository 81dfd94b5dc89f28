import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { optionsWith } from '../../../test/support/doctor-facts.ts'
import { scratchDirectory } from '../../../test/support/scratch.ts'
import { isSeen } from '../looked.ts'
import { configuredPlugin, lookAtPluginLoad } from './plugin-load.ts'

const skip = process.getuid?.() === 0 ? false : 'only root becomes another user'

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
  const folder = openFolder(t)
  writeFileSync(join(folder, 'hashicorp_key_management.so'), 'no library')
  assert.match(
    JSON.stringify(lookAtPluginLoad(optionsOf({ ...stock, plugin_dir: folder }))),
    /"complaint":".*Can't open shared library/,
  )
})

test('a plugin is never loaded as root, and not by who may open our terminal', { skip }, (t) => {
  const folder = openFolder(t)
  const fake = join(folder, 'mariadbd')
  writeFileSync(
    fake,
    '#!/bin/sh\n( : </dev/tty ) 2>/dev/null && tty=ours\necho "[ERROR] $(id -u) $(id -G) ${tty:-none} ${SECRET:-none}" >&2\n',
    { mode: 0o755 },
  )
  const { PATH = '' } = process.env
  Object.assign(process.env, { PATH: `${folder}:${PATH}`, SECRET: 'of ours' })
  t.after(() => {
    Object.assign(process.env, { PATH })
    delete process.env['SECRET']
  })
  const found = lookAtPluginLoad(optionsOf({ plugin_load_add: 'aws_key_management', plugin_dir: folder }))
  assert.deepEqual(found, {
    seen: { plugin: 'aws_key_management.so', complaint: '65534 65534 none none' },
  })
})

test('a plugin that not everybody may read is not called a broken one', { skip }, (t) => {
  const folder = openFolder(t)
  writeFileSync(join(folder, 'hashicorp_key_management.so'), 'hidden', { mode: 0o600 })
  const options = optionsOf({ plugin_load_add: 'hashicorp_key_management', plugin_dir: folder })
  assert.match(JSON.stringify(lookAtPluginLoad(options)), /^\{"unseen":"not everybody may read the plugin/)
})

/** That everybody may pass. */
function openFolder(t: TestContext): string {
  const scratch = scratchDirectory(t)
  chmodSync(scratch, 0o755)
  const folder = join(scratch, 'plugins')
  mkdirSync(folder)
  return folder
}
