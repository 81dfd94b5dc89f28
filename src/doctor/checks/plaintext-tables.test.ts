import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dataWith, tableWith } from '../../../test/support/data-survey.ts'
import { codesFound, examinedWith, serverWith } from '../../../test/support/doctor.ts'
import type { SurveyedTablespace } from '../look/data/surveyed-tablespace.ts'
import { isFinding } from '../finding.ts'
import { seen } from '../looked.ts'
import { partlyPlaintextTables, plaintextTables } from './plaintext-tables.ts'

const plain = { cryptData: undefined, plain: 9 } as const
const encrypted = new Map([[1, 9]])

function codes(...tablespaces: SurveyedTablespace[]): string[] {
  const examined = examinedWith({ data: dataWith({ tablespaces }) })
  return [...codesFound(plaintextTables, examined), ...codesFound(partlyPlaintextTables, examined)]
}

test('tables, the system tablespace and undo tablespaces in the clear', () => {
  assert.deepEqual(codes(tableWith({ encrypted }), tableWith({})), [])
  assert.deepEqual(codes(tableWith(plain), tableWith({ ...plain, freedPlain: 3 })), ['SRD_TABLE_PLAINTEXT'])
  assert.deepEqual(codes(tableWith(plain), tableWith({ ...plain, schema: 'e' })), [
    'SRD_TABLE_PLAINTEXT',
    'SRD_TABLE_PLAINTEXT',
  ])
  assert.deepEqual(codes(tableWith({ ...plain, kind: 'system' }), tableWith({ ...plain, kind: 'undo' })), [
    'SRD_SYSTEM_TABLESPACE_PLAINTEXT',
  ])
})

test('pages in the clear of what is encrypted', () => {
  assert.deepEqual(codes(tableWith({ encrypted, plain: 1 })), ['SRD_TABLE_PARTLY_PLAINTEXT'])
  assert.deepEqual(codes(tableWith({ encrypted, freedPlain: 1 })), ['SRD_FREED_PAGES_PLAINTEXT'])
  assert.deepEqual(codes(tableWith({ encrypted, copiedPlain: 1 })), ['SRD_FREED_PAGES_PLAINTEXT'])
  // Freed as a whole: nothing is in use.
  assert.deepEqual(codes(tableWith({ freedPlain: 1 })), ['SRD_FREED_PAGES_PLAINTEXT'])
})

test('many tables are counted, not all named; without threads nothing encrypts them', () => {
  const tablespaces = Array.from({ length: 1500 }, (_, at) => tableWith({ ...plain, name: `t${at}` }))
  const [finding] = plaintextTables.run(
    examinedWith({
      data: dataWith({ tablespaces }),
      dataDirectory: seen('/var/lib/mysql'),
      server: serverWith({ innodb_encryption_threads: '0' }),
    }),
  )
  assert.ok(finding !== undefined && isFinding(finding))
  assert.equal(finding.where, '/var/lib/mysql/d')
  assert.equal(
    finding.what,
    '1,500 InnoDB tables in the clear: t0, t1, t2, t3, t4, t5, t6, t7 and 1,492 more',
  )
  assert.match(finding.remedy, /^innodb_encryption_threads is 0/)
})
