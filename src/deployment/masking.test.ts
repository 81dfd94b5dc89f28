import assert from 'node:assert/strict'
import { test } from 'node:test'
import { masked } from './masking.ts'

test('what is named is masked, and a change of it shows', () => {
  assert.deepEqual(masked('old-token\n', 'new-token\nold-token\n', ['new-token', 'old-token']), {
    former: '(secret)\n',
    next: '(new secret)\n(secret)\n',
  })
})

test('what a line says of a token, a password or a secret key is masked, whoever wrote it', () => {
  const lines = [
    ['hashicorp-key-management-token = "abc def"', 'hashicorp-key-management-token = "(secret)"'],
    ['hashicorp_key_management_token=s.1234', 'hashicorp_key_management_token=(secret)'],
    ['#hashicorp-key-management-token=s.1234', '#hashicorp-key-management-token=(secret)'],
    ["password = 'p'", "(secret)assword = '(secret)'"],
    ['aws_secret_access_key = wJalr/K7+', 'aws_secret_access_key = (secret)'],
    ['token-file = /etc/strongroom/mariadb.token', 'token-file = /etc/strongroom/mariadb.token'],
    ['innodb-encrypt-tables = FORCE', 'innodb-encrypt-tables = FORCE'],
  ]
  for (const [line = '', shown] of lines) assert.equal(masked(line, '').former, shown)
})
