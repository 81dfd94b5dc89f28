import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codesFound, examinedWith, serverWith } from '../../../test/support/doctor.ts'
import { optionsWith } from '../../../test/support/doctor-facts.ts'
import { secureFilePriv } from './secure-file-priv.ts'

test('a server without secure_file_priv', () => {
  const unset = examinedWith({ server: serverWith({ secure_file_priv: '' }) })
  assert.deepEqual(codesFound(secureFilePriv, unset), ['SRD_SECURE_FILE_PRIV'])
  const set = examinedWith({ server: serverWith({ secure_file_priv: '/var/lib/mysql-files/' }) })
  assert.deepEqual(codesFound(secureFilePriv, set), [])
})

test('where no server runs, the option files tell', () => {
  const codes = (options: Record<string, string>) =>
    codesFound(secureFilePriv, examinedWith({ options: optionsWith(options) }))
  assert.deepEqual(codes({ secure_file_priv: '/var/lib/mysql-files' }), [])
  assert.deepEqual(codes({}), ['SRD_SECURE_FILE_PRIV'])
  assert.deepEqual(secureFilePriv.run(examinedWith({})), [{ notChecked: 'not in this test' }])
})
