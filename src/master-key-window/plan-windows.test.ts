import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DutyRecord } from './duty-record.ts'
import type { FoundKey } from './master-keys.ts'
import { planWindows, type Planning } from './plan-windows.ts'
import { ownIdentity } from './process-identity.ts'
import type { WantedServer } from './window-list.ts'

const arnOf = (name: string): string => `arn:aws:kms:us-east-1:111122223333:key/${name}`
const user = 'arn:aws:iam::111122223333:user/mariadb'

const key = (name: string, state = 'Disabled'): FoundKey => ({
  named: `alias/${name}`,
  arn: arnOf(name),
  state,
  description: '',
  deletionDate: state === 'PendingDeletion' ? new Date('2030-01-01T00:00:00Z') : undefined,
})
const server = (name: string, more: Partial<WantedServer> = {}): WantedServer => ({
  key: `alias/${name}`,
  untilReady: 'true',
  grant: undefined,
  keyringId: undefined,
  expect: undefined,
  ...more,
})
const planning: Planning = { lasts: 60_000, evenIfEnabled: false, duties: [] }
const duty = (state: DutyRecord['state'], more: Partial<DutyRecord> = {}): DutyRecord => ({
  format: 'strongroom-master-key-duty/1',
  id: '0123456789abcdef',
  target: { type: 'key', keyArn: arnOf('one') },
  place: { region: 'us-east-1' },
  holder: ownIdentity(),
  begunAt: 0,
  endsAt: Date.now() + 60_000,
  state,
  ...more,
})
const refusalOf = (found: FoundKey, options: Partial<Planning> = {}, wanted = server('one')) =>
  planWindows([{ server: wanted, key: found }], { ...planning, ...options }).unplanned[0]?.error.message

test('servers that share a key share the window, whatever they call it', () => {
  const { plans } = planWindows(
    [
      { server: server('one', { untilReady: 'a', expect: user }), key: key('one') },
      { server: server('two'), key: key('two') },
      {
        server: server('other', { untilReady: undefined, expect: user }),
        key: { ...key('one'), named: arnOf('one') },
      },
    ],
    planning,
  )
  assert.deepEqual(
    plans.map(({ name, servers, expected }) => [name, servers, expected]),
    [
      ['alias/one', ['a', undefined], [user]],
      ['alias/two', ['true'], []],
    ],
  )
  assert.ok(plans.every(({ proves, lasts }) => proves && lasts === 60_000))
})

test('a key that is in no state for a window gets none', () => {
  assert.equal(refusalOf(key('one')), undefined)
  assert.match(refusalOf(key('one', 'Enabled')) ?? '', /is enabled already/)
  assert.equal(refusalOf(key('one', 'Enabled'), { evenIfEnabled: true }), undefined)
  assert.match(
    refusalOf(key('one', 'PendingDeletion')) ?? '',
    /PendingDeletion \(it is deleted on 2030-01-01/,
  )
  assert.match(
    refusalOf(key('one', 'PendingImport'), { evenIfEnabled: true }) ?? '',
    /no window makes it usable/,
  )
  const granted = server('one', { grant: user })
  assert.match(refusalOf(key('one'), {}, granted) ?? '', /is disabled, so a grant to .* would be of no use/)
  assert.equal(refusalOf(key('one', 'Enabled'), {}, granted), undefined)
})

test('what is not proven where a key is enabled: that would disable it', () => {
  const wanted = [{ server: server('one'), key: key('one', 'Enabled') }]
  const { plans } = planWindows(wanted, { ...planning, evenIfEnabled: true })
  assert.deepEqual(
    plans.map(({ proves }) => proves),
    [false],
  )
})

test('another window on the key keeps it from being opened, one that only watches is taken over', () => {
  const held = (record: DutyRecord) => ({ duties: [{ record, outcome: 'held' as const }] })
  assert.match(refusalOf(key('one'), held(duty('open'))) ?? '', /is open until .* \(process \d+ on /)
  assert.equal(refusalOf(key('two'), held(duty('open'))), undefined)
  const mayOpenUntil = Date.now() + 50_000
  const { plans } = planWindows([{ server: server('one'), key: key('one') }], {
    ...planning,
    ...held(duty('watching', { mayOpenUntil })),
  })
  assert.equal(plans[0]?.mayOpenUntil, mayOpenUntil)
})

test('a grant says in its name when it ends', () => {
  const wanted = [{ server: server('one', { grant: user }), key: key('one', 'Enabled') }]
  const [plan] = planWindows(wanted, planning).plans
  assert.ok(plan?.target.type === 'grant')
  const [, end] = /^strongroom-window-(\d+)-[0-9a-f]{16}$/.exec(plan.target.grantName) ?? []
  assert.ok(Math.abs(Number(end) * 1000 - Date.now() - 60_000) < 10_000)
})
