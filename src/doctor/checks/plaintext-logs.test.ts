import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dataWith } from '../../../test/support/data-survey.ts'
import { codesFound, examinedWith, serverWith } from '../../../test/support/doctor.ts'
import type { BinaryLogStart } from '../../mariadb/binary-log.ts'
import { isFinding } from '../finding.ts'
import { seen, unseen } from '../looked.ts'
import { plaintextBinaryLogs, plaintextRedoLog, statementLogs } from './plaintext-logs.ts'

test('the redo log', () => {
  const codes = (state: 'plain' | 'empty' | 'encrypted') => {
    const redoLog = seen({ file: '/var/lib/mysql/ib_logfile0', state, keyVersions: [] })
    return codesFound(plaintextRedoLog, examinedWith({ data: dataWith({ redoLog }) }))
  }
  assert.deepEqual(codes('plain'), ['SRD_REDO_LOG_PLAINTEXT'])
  assert.deepEqual([...codes('empty'), ...codes('encrypted')], [])
  const unread = examinedWith({ data: dataWith({ redoLog: unseen('it is gone') }) })
  assert.deepEqual(plaintextRedoLog.run(unread), [{ notChecked: 'it is gone' }])
})

test('binary and relay logs, each kind by itself', () => {
  const plain = { encrypted: false, holdsEvents: true } as const
  const log = (name: string, start: BinaryLogStart = plain) => ({ path: `/var/lib/mysql/${name}`, start })
  const logs = [
    log('binlog.000001'),
    log('binlog.000002'),
    log('binlog.000003', { encrypted: true, keyVersion: 1 }),
    log('binlog.000004', { encrypted: false, holdsEvents: false }),
    log('db1-relay-bin.000007'),
  ]
  const outcome = plaintextBinaryLogs.run(examinedWith({ data: dataWith({ logs }) }))
  const findings = outcome.filter(isFinding)
  assert.deepEqual(
    findings.map(({ code, what }) => `${code} ${what}`),
    [
      'SRD_BINARY_LOG_PLAINTEXT 2 binary logs in the clear: binlog.000001, binlog.000002',
      'SRD_BINARY_LOG_PLAINTEXT 1 relay log in the clear: db1-relay-bin.000007',
    ],
  )
})

test('logs of statements, while they are on and go to files', () => {
  const codes = (variables: Record<string, string>) =>
    codesFound(statementLogs, examinedWith({ server: serverWith(variables) }))
  assert.deepEqual(codes({ general_log: 'ON', slow_query_log: 'ON', log_output: 'TABLE,FILE' }), [
    'SRD_STATEMENT_LOG',
    'SRD_STATEMENT_LOG',
  ])
  assert.deepEqual(codes({ general_log: 'ON', log_output: 'TABLE' }), [])
  assert.deepEqual(codes({ general_log: 'OFF', slow_query_log: 'OFF', log_output: 'FILE' }), [])
})
