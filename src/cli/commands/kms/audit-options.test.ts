import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { scratchDirectory } from '../../../../test/support/scratch.ts'
import { readKmsConfig } from './config.ts'

const audit = (...flags: string[]): unknown => readKmsConfig(['--data', '/d', ...flags]).service.audit

test('the options about the audit trail', (t) => {
  assert.equal(audit(), undefined)
  assert.deepEqual(audit('--audit-max-size', '2M', '--audit-keep-days', '90'), {
    maxSize: 2_097_152,
    keepDays: 90,
    forward: undefined,
  })
  const folder = scratchDirectory(t)
  const file = join(folder, 'kms.conf')
  writeFileSync(
    file,
    '[kms]\naudit-forward = https://siem.example.com/in\naudit-forward-token-file = token\naudit-forward-ca-file = /etc/ca.pem\n',
  )
  assert.deepEqual(audit('--config', file), {
    maxSize: undefined,
    keepDays: undefined,
    forward: { to: 'https://siem.example.com/in', tokenFile: join(folder, 'token'), caFile: '/etc/ca.pem' },
  })
})

test('what is wrong in them is a mistake of usage', () => {
  const table: [flags: string[], message: RegExp][] = [
    [['--audit-max-size', 'huge'], /--audit-max-size takes a number of bytes, such as 100M/],
    [['--audit-max-size', '1K'], /--audit-max-size is at least 64K/],
    [['--audit-keep-days', '0'], /--audit-keep-days takes a number of days/],
    [['--audit-forward-token-file', '/t'], /are for audit-forward/],
  ]
  for (const [flags, message] of table) assert.throws(() => audit(...flags), { code: 'SR_USAGE', message })
})
