import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ariaTableWith, dataWith } from '../../../test/support/data-survey.ts'
import { codesFound, examinedWith } from '../../../test/support/doctor.ts'
import type { AriaSurvey } from '../look/data/aria-survey.ts'
import { ariaLog, plaintextAria } from './plaintext-aria.ts'

function examined(...ariaTables: AriaSurvey[]) {
  return examinedWith({ data: dataWith({ ariaTables, ariaLogs: ['/var/lib/mysql/aria_log.00000001'] }) })
}

test('Aria tables in the clear, by schema and by whether they could be encrypted', () => {
  const plain = { encrypted: false }
  assert.deepEqual(codesFound(plaintextAria, examined(ariaTableWith({}))), [])
  const tables = [
    ariaTableWith(plain),
    ariaTableWith(plain),
    ariaTableWith({ ...plain, rowsInPages: false }),
    ariaTableWith({ ...plain, schema: 'mysql' }),
  ]
  assert.deepEqual(codesFound(plaintextAria, examined(...tables)), [
    'SRD_ARIA_PLAINTEXT',
    'SRD_ARIA_PLAINTEXT',
    'SRD_ARIA_PLAINTEXT',
  ])
})

test('the log of Aria, where a table of somebody goes through it', () => {
  const own = ariaTableWith({ schema: 'mysql', name: 'global_priv' })
  assert.deepEqual(codesFound(ariaLog, examined(own, ariaTableWith({ transactional: false }))), [])
  assert.deepEqual(codesFound(ariaLog, examined(own, ariaTableWith({}))), ['SRD_ARIA_LOG_PLAINTEXT'])
})
