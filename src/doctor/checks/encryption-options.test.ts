import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codesFound, examinedWith, serverWith } from '../../../test/support/doctor.ts'
import { optionsWith } from '../../../test/support/doctor-facts.ts'
import { isFinding } from '../finding.ts'
import { encryptionOptions } from './encryption-options.ts'

const everything = {
  innodb_encrypt_tables: 'FORCE',
  innodb_encrypt_log: 'ON',
  innodb_encrypt_temporary_tables: 'ON',
  encrypt_tmp_files: 'ON',
  encrypt_tmp_disk_tables: 'ON',
  encrypt_binlog: 'ON',
  aria_encrypt_tables: 'ON',
  innodb_encryption_threads: '4',
  innodb_encryption_rotate_key_age: '1',
}
const codes = (variables: Partial<typeof everything>) =>
  codesFound(encryptionOptions, examinedWith({ server: serverWith({ ...everything, ...variables }) }))

test('each switch that is off is a finding of its own', () => {
  assert.deepEqual(codes({}), [])
  for (const option of Object.keys(everything).slice(0, 7)) {
    const host = examinedWith({ server: serverWith({ ...everything, [option]: 'OFF' }) })
    assert.deepEqual(codesFound(encryptionOptions, host), ['SRD_ENCRYPTION_OFF'], option)
    const [finding] = encryptionOptions.run(host)
    assert.ok(finding !== undefined && isFinding(finding) && finding.where.startsWith(`${option} `))
  }
})

test('tables that may be made in the clear, no threads, no age', () => {
  assert.deepEqual(codes({ innodb_encrypt_tables: 'ON' }), ['SRD_ENCRYPTION_OPTIONAL'])
  assert.deepEqual(codes({ innodb_encryption_threads: '0' }), ['SRD_ENCRYPTION_THREADS'])
  assert.deepEqual(codes({ innodb_encryption_rotate_key_age: '0' }), ['SRD_ROTATE_KEY_AGE'])
})

test('where no server runs, the option files tell; what they leave out is off', () => {
  const host = examinedWith({ options: optionsWith({ ...everything, encrypt_binlog: '0' }) })
  assert.deepEqual(codesFound(encryptionOptions, host), ['SRD_ENCRYPTION_OFF'])
  assert.equal(codesFound(encryptionOptions, examinedWith({ options: optionsWith({}) })).length, 8)
})
