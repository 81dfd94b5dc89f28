import assert from 'node:assert/strict'
import { test } from 'node:test'
import { examinedWith, serverWith } from '../../test/support/doctor.ts'
import { diagnose } from './diagnosis.ts'
import { unseen } from './looked.ts'

test('what a server or a file name says can not move the cursor, nor begin a line of its own', () => {
  const evil = 'a\u001b[2J\nno finding\r\u009b1A\u202e\u2028b'
  const { findings, notChecked } = diagnose(
    examinedWith({
      server: serverWith({ general_log: 'ON', general_log_file: evil, version: evil }),
      host: unseen(evil),
    }),
  )
  const log = findings.find(({ code }) => code === 'SRD_STATEMENT_LOG')
  const plain = 'a\\u001b[2J\\u000ano finding\\u000d\\u009b1A\\u202e\\u2028b'
  assert.equal(log?.where, `general_log (${plain})`)
  assert.ok(notChecked.some(({ reason }) => reason === plain))
  const texts = [
    ...findings.flatMap(({ where, what, remedy }) => [where, what, remedy]),
    ...notChecked.map(({ reason }) => reason),
  ]
  for (const text of texts) assert.doesNotMatch(text, /[\p{Cc}\p{Cf}]/u)
})
