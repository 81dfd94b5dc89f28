import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { scratchDirectory } from '../../../../test/support/scratch.ts'
import { parseWindowOptions } from './window-options.ts'

const user = 'arn:aws:iam::111122223333:user/mariadb'
const other = 'arn:aws:iam::111122223333:user/other'
const keyring = '0123456789abcdef0123456789abcdef'

test('a window lasts two minutes, one with a grant ten', () => {
  assert.equal(parseWindowOptions(['alias/one']).lasts, 120_000)
  assert.equal(parseWindowOptions(['alias/one', '--grant', user]).lasts, 600_000)
  assert.equal(parseWindowOptions(['alias/one', '--grant', user, '--for', '30s']).lasts, 30_000)
})

test('what the command line says is for the lines of the list that do not say it', (t) => {
  const list = join(scratchDirectory(t), 'list')
  writeFileSync(list, `alias/two\nalias/three expect=${other} true\n`)
  const { servers } = parseWindowOptions([
    'alias/one',
    '--list',
    list,
    '--until-ready',
    'ping',
    '--expect',
    user,
  ])
  assert.deepEqual(
    servers.map(({ key, untilReady, expect }) => [key, untilReady, expect]),
    [
      ['alias/one', 'ping', user],
      ['alias/two', 'ping', user],
      ['alias/three', 'true', other],
    ],
  )
})

for (const [args, message] of [
  [[], /takes a key, or --list FILE/],
  [['alias/one', '--for', '13h'], /--for takes a time/],
  [['alias/one', '--audit-wait', '2h'], /--audit-wait takes a time/],
  [['alias/one', '--grant', 'mariadb'], /--grant takes the ARN/],
  [['alias/one', '--expect', 'mariadb'], /--expect takes the ARN/],
  [['alias/one', '--keyring-id', keyring], /goes with --grant/],
  [['alias/one', '--grant', user, '--keyring-id', 'x'], /--keyring-id takes 32 hex digits/],
  [['alias/one', '--until-ready', ' '], /--until-ready takes a URL or a command/],
  [['alias/one', '--at-once', '0'], /--at-once takes a number from 1 to 100/],
  [['--list', '/no/such/file'], /cannot read \/no\/such\/file \(ENOENT\)/],
  [['--recover', 'alias/one'], /--recover takes no key/],
  [['alias/one', '--nonsense'], /--nonsense/],
] as const) {
  test(`refused: ${args.join(' ')}`, () => {
    assert.throws(() => parseWindowOptions(args), { code: 'SR_USAGE', message })
  })
}
