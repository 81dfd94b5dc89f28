import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StrongroomError } from '../../../errors.ts'
import type { WindowOutcome } from '../../../master-key-window/run-windows.ts'
import type { WindowUse } from '../../../master-key-window/window-uses.ts'
import { isGood, jsonReport, serverTable, usesTable } from './window-report.ts'

const keyArn = 'arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'
const user = 'arn:aws:iam::111122223333:user/mariadb'
const ready = { isReady: true, after: 12_000, looks: 3, said: '' }

const outcome = (more: Partial<WindowOutcome> = {}): WindowOutcome => ({
  plan: {
    name: 'alias/one',
    target: { type: 'key', keyArn },
    lasts: 60_000,
    proves: true,
    servers: ['ping'],
    expected: [user],
  },
  servers: [{ untilReady: 'ping', readiness: ready }],
  opened: { event: 'open', id: '1', at: 1_000_000, endsAt: 1_060_000, requestId: 'a' },
  notOpened: undefined,
  closed: { event: 'closed', id: '1', at: 1_013_000, requestId: 'b' },
  ...more,
})
const use = (more: Partial<WindowUse> = {}): WindowUse => ({
  time: new Date('2030-01-01T00:00:00Z'),
  principal: user,
  role: undefined,
  accessKeyId: undefined,
  operation: 'Decrypt',
  encryptionContext: { 'strongroom-keyring': 'aa', 'strongroom-key-id': '1', 'strongroom-key-version': '2' },
  source: '192.0.2.1',
  errorCode: undefined,
  requestId: undefined,
  isExpected: true,
  ...more,
})
const late = { ...ready, isReady: false, said: 'ping: exit code 1' }
const never = { opened: undefined, closed: undefined }
const notOpened = { event: 'not-opened' as const, id: '1', code: 'SR_AWS_REFUSED', message: 'not you' }

test('a row for each server', () => {
  const unplanned = [
    {
      server: {
        key: 'alias/x',
        untilReady: undefined,
        grant: undefined,
        keyringId: undefined,
        expect: undefined,
      },
      error: new StrongroomError('SR_WINDOW_REFUSED', 'it is enabled'),
    },
  ]
  const outcomes = [
    outcome({
      servers: [
        { untilReady: 'ping', readiness: ready },
        { untilReady: undefined, readiness: undefined },
      ],
    }),
    outcome({ servers: [{ untilReady: 'ping', readiness: late }] }),
    outcome({ ...never, notOpened }),
    outcome(never),
  ]
  assert.deepEqual(
    serverTable(
      outcomes.map((one) => ({ outcome: one, uses: undefined })),
      unplanned,
    ),
    [
      'key        until ready  ready                    window',
      'alias/one  ping         after 12s                closed, confirmed',
      'alias/one  -            not asked, open for 13s  closed, confirmed',
      'alias/one  ping         no: ping: exit code 1    closed, confirmed',
      'alias/one  ping         no                       not opened [SR_AWS_REFUSED]',
      'alias/one  ping         no                       not opened: the command was ended before',
      'alias/x    -            no                       not opened [SR_WINDOW_REFUSED]',
    ],
  )
})

test('a row for each use, with who was not expected', () => {
  const table = usesTable([
    use(),
    use({ principal: 'root', encryptionContext: { a: 'b' }, isExpected: false, errorCode: 'AccessDenied' }),
    use({ encryptionContext: {} }),
  ])
  assert.deepEqual(
    table.map((line) => line.replace(/ {2,}/g, '|')),
    [
      'time|principal|operation|key|from|result',
      `2030-01-01T00:00:00Z|${user}|Decrypt|1.2 of aa|192.0.2.1|ok`,
      '2030-01-01T00:00:00Z|root|<< not expected|Decrypt|a=b|192.0.2.1|AccessDenied',
      `2030-01-01T00:00:00Z|${user}|Decrypt|-|192.0.2.1|ok`,
    ],
  )
})

test('what a caller wrote into its encryption context stays in its own row', () => {
  const spoof = { a: `b\n2030-01-01T00:00:00Z  ${user}\u001b[1A` }
  const table = usesTable([use({ principal: 'intruder', encryptionContext: spoof, isExpected: false })])
  assert.equal(table.length, 2)
  assert.match(table[1] ?? '', /intruder {2}<< not expected .* a=b\\u000a2030.*\\u001b\[1A/)
})

test('what is good, and what is not', () => {
  const uses = { uses: [use()], isComplete: true, isCutShort: false }
  assert.equal(isGood({ outcome: outcome(), uses }), true)
  assert.equal(isGood({ outcome: outcome(), uses: undefined }), true)
  assert.equal(isGood({ outcome: outcome({ closed: undefined }), uses }), false)
  assert.equal(
    isGood({ outcome: outcome({ servers: [{ untilReady: 'ping', readiness: late }] }), uses }),
    false,
  )
  assert.equal(isGood({ outcome: outcome({ ...never, notOpened }), uses: undefined }), false)
  assert.equal(isGood({ outcome: outcome(), uses: { ...uses, uses: [use({ isExpected: false })] } }), false)
})

test('JSON says the same', () => {
  const report: unknown = JSON.parse(
    JSON.stringify(jsonReport([{ outcome: outcome(), uses: undefined }], [])),
  )
  assert.deepEqual(report, {
    windows: [
      {
        key: keyArn,
        name: 'alias/one',
        openedAt: '1970-01-01T00:16:40.000Z',
        closedAt: '1970-01-01T00:16:53.000Z',
        servers: [{ untilReady: 'ping', ready: true, seconds: 12, said: '' }],
      },
    ],
    refused: [],
  })
})
