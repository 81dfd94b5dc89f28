import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codesFound, examinedWith, serverWith } from '../../../test/support/doctor.ts'
import { type Looked, seen, unseen } from '../looked.ts'
import { replica } from './replica.ts'

const replicaOf = (encryptsTables: Looked<boolean>, own = 'FORCE') =>
  examinedWith({
    server: serverWith(
      { innodb_encrypt_tables: own },
      { primaries: [{ host: '192.0.2.7', port: 3306, encryptsTables }] },
    ),
  })

test('an encrypted replica of a primary that is not', () => {
  assert.deepEqual(codesFound(replica, replicaOf(seen(false))), ['SRD_REPLICA_ONLY'])
  assert.deepEqual(codesFound(replica, replicaOf(seen(true))), [])
  assert.deepEqual(codesFound(replica, replicaOf(seen(false), 'OFF')), [])
  assert.deepEqual(codesFound(replica, examinedWith({ server: serverWith({}) })), [])
})

test('a primary that is not asked is not checked', () => {
  assert.deepEqual(replica.run(replicaOf(unseen('use --ask-primary'))), [{ notChecked: 'use --ask-primary' }])
})
