import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codesFound, examinedWith, serverWith } from '../../../test/support/doctor.ts'
import {
  configWith,
  memoryWith,
  optionsWith,
  pluginConfig,
  vaultConfig,
} from '../../../test/support/doctor-facts.ts'
import { isFinding } from '../finding.ts'
import { seen } from '../looked.ts'
import { activePlugin, pluginLoads, pluginPlace } from './key-plugin.ts'

const stock = { name: 'hashicorp_key_management', isActive: true, author: 'MariaDB Corporation' }
const own = { name: 'aws_key_management', isActive: true, author: 'Strongroom' }
const forced = { loadOption: 'FORCE_PLUS_PERMANENT' }

test('a running server and its key plugin', () => {
  const codes = (...keyPlugins: { name: string; isActive: boolean; author: string; loadOption: string }[]) =>
    codesFound(activePlugin, examinedWith({ server: serverWith({}, { keyPlugins }) }))
  assert.deepEqual(codes({ ...stock, ...forced }), [])
  assert.deepEqual(codes({ ...own, ...forced }), [])
  assert.deepEqual(codes({ ...stock, loadOption: 'ON' }), ['SRD_PLUGIN_NOT_FORCED'])
  assert.deepEqual(codes({ ...own, loadOption: 'FORCE' }), ['SRD_PLUGIN_NOT_FORCED'])
  assert.deepEqual(codes(), ['SRD_SERVER_WITHOUT_AGENT'])
  assert.deepEqual(codes({ ...own, author: 'MariaDB Corporation', ...forced }), ['SRD_SERVER_WITHOUT_AGENT'])
  assert.deepEqual(codes({ ...stock, isActive: false, ...forced }), ['SRD_SERVER_WITHOUT_AGENT'])
})

test('where no server runs, its options tell, and that is said', () => {
  const results = (options: Record<string, string>) =>
    activePlugin
      .run(examinedWith({ options: optionsWith(options) }))
      .map((result) => (isFinding(result) ? result.code : 'not checked'))
  const loaded = { plugin_load_add: 'hashicorp_key_management.so' }
  assert.deepEqual(results({ ...loaded, hashicorp_key_management: 'force_plus_permanent' }), ['not checked'])
  assert.deepEqual(results(loaded), ['SRD_PLUGIN_NOT_FORCED', 'not checked'])
  assert.deepEqual(results({}), ['SRD_SERVER_WITHOUT_AGENT', 'not checked'])
})

test('a plugin that the installed server can not load, and one that was replaced under a running server', () => {
  const host = examinedWith({
    pluginLoad: seen({ plugin: 'aws_key_management.so', complaint: "Can't open shared library" }),
    serverMemory: memoryWith({
      replacedLibraries: ['/usr/lib/mysql/plugin/aws_key_management.so', '/lib/libz.so.1'],
    }),
  })
  assert.deepEqual(codesFound(pluginLoads, host), ['SRD_PLUGIN_UNLOADABLE', 'SRD_RESTART_PENDING'])
})

test('the options must name the place where the agent serves this keyring', (t) => {
  const codes = (config: string, options: Record<string, string>) =>
    codesFound(pluginPlace, examinedWith({ ...configWith(t, config), options: optionsWith(options) }))
  const vault = (url: string) => ({
    plugin_load_add: 'hashicorp_key_management.so',
    hashicorp_key_management_vault_url: url,
  })
  assert.deepEqual(codes(vaultConfig, vault('http://127.0.0.1:8201/v1/mariadb')), [])
  assert.deepEqual(codes(vaultConfig, vault('http://localhost:8201/v1/mariadb/')), [])
  for (const url of [
    'http://127.0.0.1:8200/v1/mariadb',
    'http://127.0.0.1:8201/v1/other',
    'https://127.0.0.1:8201/v1/mariadb',
    'http://192.0.2.7:8201/v1/mariadb',
  ]) {
    assert.deepEqual(codes(vaultConfig, vault(url)), ['SRD_SERVER_ELSEWHERE'], url)
  }
  const plugin = { plugin_load_add: 'aws_key_management' }
  assert.deepEqual(codes(pluginConfig, plugin), [])
  assert.deepEqual(codes(pluginConfig, { ...plugin, aws_key_management_socket: '/run/elsewhere.sock' }), [
    'SRD_SERVER_ELSEWHERE',
  ])
  assert.deepEqual(codes(vaultConfig, plugin), ['SRD_SERVER_ELSEWHERE'])
})
