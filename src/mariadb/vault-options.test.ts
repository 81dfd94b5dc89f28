import assert from 'node:assert/strict'
import { test } from 'node:test'
import { vaultOptions } from './vault-options.ts'

const source = { vaultUrl: 'http://127.0.0.1:8201/v1/mariadb', token: 'a-token' }

test('the keys are required, and everything is encrypted', () => {
  assert.deepEqual(vaultOptions(source), {
    'plugin-load-add': 'hashicorp_key_management.so',
    'hashicorp-key-management': 'FORCE_PLUS_PERMANENT',
    'hashicorp-key-management-vault-url': 'http://127.0.0.1:8201/v1/mariadb',
    'hashicorp-key-management-token': 'a-token',
    'innodb-encrypt-tables': 'FORCE',
    'innodb-encrypt-log': 'ON',
    'innodb-encrypt-temporary-tables': 'ON',
    'encrypt-tmp-files': 'ON',
    'encrypt-tmp-disk-tables': 'ON',
    'encrypt-binlog': 'ON',
    'aria-encrypt-tables': 'ON',
    'innodb-encryption-threads': '4',
    'innodb-encryption-rotate-key-age': '1',
  })
})

test('the version cache can be shortened', () => {
  const options = vaultOptions({ ...source, cacheVersionTimeout: 500 })
  assert.equal(options['hashicorp-key-management-cache-version-timeout'], '500')
})
