import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dataWith } from '../../../test/support/data-survey.ts'
import { examinedWith } from '../../../test/support/doctor.ts'
import { isFinding } from '../finding.ts'
import { otherEngines } from './other-engines.ts'

test('tables of engines that do not encrypt, by schema and engine; log tables are emptied', () => {
  const table = (schema: string, name: string, engine: string) => ({ schema, name, engine })
  const otherTables = [
    table('d', 'a', 'MyISAM'),
    table('d', 'b', 'MyISAM'),
    table('d', 'c', 'ARCHIVE'),
    table('mysql', 'general_log', 'CSV'),
  ]
  const findings = otherEngines.run(examinedWith({ data: dataWith({ otherTables }) })).filter(isFinding)
  assert.deepEqual(
    findings.map(({ code, what, remedy }) => `${code} ${what} ${remedy.split(' ')[0] ?? ''}`),
    [
      'SRD_ENGINE_WITHOUT_ENCRYPTION 2 MyISAM tables, which MariaDB can not encrypt: a, b ALTER',
      'SRD_ENGINE_WITHOUT_ENCRYPTION 1 ARCHIVE table, which MariaDB can not encrypt: c ALTER',
      'SRD_ENGINE_WITHOUT_ENCRYPTION 1 CSV table, which MariaDB can not encrypt: general_log TRUNCATE',
    ],
  )
})
