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
    ["password = 'p'\npass p", "password = '(secret)'\npass (secret)"],
    ['wsrep_sst_auth = sst:pw', 'wsrep_sst_auth = (secret)'],
    ['Environment=AWS_SECRET_ACCESS_KEY=wJalr/K7+', 'Environment=AWS_SECRET_ACCESS_KEY=(secret)'],
    [
      'Environment="AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE" "AWS_SESSION_TOKEN=x y"',
      'Environment="AWS_ACCESS_KEY_ID=(secret)',
    ],
    ['SetCredential=aws-credentials:[default]', 'SetCredential=aws-credentials:(secret)'],
    ['Environment=HTTPS_PROXY=http://me:pw@proxy:3128', 'Environment=HTTPS_PROXY=http://me:(secret)'],
    ['ExecStart=/bin/x --token=abc\r\n', 'ExecStart=/bin/x --token=(secret)\r\n'],
    ['# was long-enough-1\ntoken = long-enough-1', '# was (secret)\ntoken = (secret)'],
    ['LoadCredential=aws-credentials:/etc/a', 'LoadCredential=aws-credentials:/etc/a'],
    [
      'hashicorp-key-management-vault-url = "http://127.0.0.1:8201/v1/m"',
      'hashicorp-key-management-vault-url = "http://127.0.0.1:8201/v1/m"',
    ],
    ['aws_secret_access_key = wJalr/K7+', 'aws_secret_access_key = (secret)'],
    ['token-file = /etc/strongroom/mariadb.token', 'token-file = /etc/strongroom/mariadb.token'],
    ['innodb-encrypt-tables = FORCE', 'innodb-encrypt-tables = FORCE'],
  ]
  for (const [line = '', shown] of lines) assert.equal(masked(line, '').former, shown)
})
