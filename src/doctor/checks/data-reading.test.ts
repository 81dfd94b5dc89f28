import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dataWith, tableWith } from '../../../test/support/data-survey.ts'
import { examinedWith } from '../../../test/support/doctor.ts'
import type { DataSurvey } from '../look/data/data-survey.ts'
import { dataReading } from './data-reading.ts'

function unread(parts: Partial<DataSurvey>): string[] {
  const outcome = dataReading.run(examinedWith({ data: dataWith(parts) }))
  return outcome.map((result) => ('code' in result ? result.code : result.notChecked))
}

test('what was not read is said', () => {
  assert.deepEqual(unread({ tablespaces: [tableWith({})], size: 10, read: 10 }), [])
  const denied = Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' })
  const files = ['a.ibd', 'b.ibd'].map((name) => ({ path: `/var/lib/mysql/d/${name}`, error: denied }))
  const other = { path: '/var/lib/mysql/d/c.ibd', error: new Error('its first page is damaged') }
  assert.deepEqual(unread({ unread: [...files, other] }), [
    '/var/lib/mysql/d/a.ibd, b.ibd can not be read (EACCES)',
    '/var/lib/mysql/d/c.ibd can not be read (its first page is damaged)',
  ])
  const tablespaces = [
    tableWith({ name: 'damaged', unclear: 2 }),
    tableWith({ name: 'keyless', cryptData: undefined, encrypted: new Map([[1, 1]]) }),
    tableWith({ name: 'large', pagesRead: 5 }),
  ]
  assert.deepEqual(unread({ tablespaces, size: 8 * 1024 ** 3, read: 4 * 1024 ** 3 }), [
    '/var/lib/mysql/d/damaged.ibd: 2 pages are damaged, or of a format that is not known',
    '/var/lib/mysql/d/keyless.ibd: its first page does not say with which key its pages are encrypted',
    '4.0 of 8.0 GiB of pages: of /var/lib/mysql/d/large.ibd only a sample was read (--thorough reads all)',
  ])
})
