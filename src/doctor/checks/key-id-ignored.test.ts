import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dataWith, tableWith } from '../../../test/support/data-survey.ts'
import { codesFound, examinedWith } from '../../../test/support/doctor.ts'
import { keyIdIgnored } from './key-id-ignored.ts'

test('a table whose pages are under another key than it was made with', () => {
  const codes = (keyIdWished: number | undefined, pages: number) => {
    const table = tableWith({ keyIdWished, encrypted: new Map(pages === 0 ? [] : [[1, pages]]) })
    return codesFound(keyIdIgnored, examinedWith({ data: dataWith({ tablespaces: [table] }) }))
  }
  assert.deepEqual(codes(4, 10), ['SRD_KEY_ID_IGNORED'])
  assert.deepEqual([...codes(1, 10), ...codes(undefined, 10), ...codes(4, 0)], [])
})
