import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseWindowList } from './window-list.ts'

const user = 'arn:aws:iam::111122223333:user/mariadb'
const keyring = '0123456789abcdef0123456789abcdef'
const bare = { untilReady: undefined, grant: undefined, keyringId: undefined, expect: undefined }

test('each line is a server; its last part is a URL or a command as it stands', () => {
  const text = [
    '# servers',
    '',
    'alias/one',
    '  alias/two   ssh db2 mariadb-admin ping  ',
    `alias/three expect=${user} https://db3.example.com/ready`,
    `alias/four grant=${user} keyring-id=${keyring} test "$(id -u)" = 0`,
    'alias/five LANG=C mariadb-admin ping',
  ].join('\n')
  assert.deepEqual(parseWindowList(text, 'list'), [
    { ...bare, key: 'alias/one' },
    { ...bare, key: 'alias/two', untilReady: 'ssh db2 mariadb-admin ping' },
    { ...bare, key: 'alias/three', expect: user, untilReady: 'https://db3.example.com/ready' },
    { ...bare, key: 'alias/four', grant: user, keyringId: keyring, untilReady: 'test "$(id -u)" = 0' },
    { ...bare, key: 'alias/five', untilReady: 'LANG=C mariadb-admin ping' },
  ])
})

for (const [text, message] of [
  ['', /^list lists no server$/],
  ['# only this', /^list lists no server$/],
  ['\nalias/one grant=mariadb true', /^list, line 2: grant takes the ARN of a user or role/],
  ['alias/one keyring-id=1 true', /^list, line 1: keyring-id takes 32 hex digits/],
  ['alias/one expect= true', /^list, line 1: expect takes the ARN/],
] as const) {
  test(`refused: ${JSON.stringify(text)}`, () => {
    assert.throws(() => parseWindowList(text, 'list'), { code: 'SR_USAGE', message })
  })
}
