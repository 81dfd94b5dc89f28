import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { scratchDirectory } from '../../../test/support/scratch.ts'
import { isSeen } from '../looked.ts'
import { allOf, awsSecretsIn, lastOf, lookAtOptions, type OptionFacts } from './option-files.ts'

function facts(t: TestContext, files: Readonly<Record<string, string>>): OptionFacts {
  const folder = scratchDirectory(t)
  mkdirSync(join(folder, 'conf.d'))
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(folder, name), text.replaceAll('@', folder), { mode: 0o640 })
  }
  const looked = lookAtOptions(join(folder, 'my.cnf'))
  assert.ok(isSeen(looked))
  return looked.seen
}

test('the last value counts, whatever the file and however the name is written', (t) => {
  const options = facts(t, {
    'my.cnf':
      '[client]\nsocket = /client\n[mariadbd]\nencrypt-binlog\nplugin-load-add = a.so\n!includedir @/conf.d\n',
    'conf.d/50-a.cnf': '[server]\nloose-innodb_encryption-threads = "4"\nplugin_load_add = b.so\n',
    'conf.d/60-b.cnf': '[mysqld]\ninnodb-encryption-threads = 0\n',
    'conf.d/70-c.txt': '[mysqld]\ninnodb-encryption-threads = 7\n',
  })
  assert.equal(lastOf(options, 'innodb_encryption_threads'), '0')
  assert.equal(lastOf(options, 'encrypt_binlog'), 'ON')
  assert.equal(lastOf(options, 'socket'), undefined)
  assert.deepEqual(allOf(options, 'plugin_load_add'), ['a.so', 'b.so'])
})

test('each file, with what it holds', (t) => {
  const { files } = facts(t, {
    'my.cnf': '!include @/conf.d/one.cnf\n!includedir @/conf.d\n',
    'conf.d/one.cnf': '[mariadbd]\nhashicorp-key-management-token = 0123456789abcdef\n',
    'conf.d/two.cnf': '# aws_secret_access_key = wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY\n[mariadbd]\n',
  })
  assert.deepEqual(
    files.map(({ path, holdsToken, awsSecrets }) => [path.replace(/^.*\//, ''), holdsToken, awsSecrets]),
    [
      ['my.cnf', false, []],
      ['one.cnf', true, []],
      ['one.cnf', true, []],
      ['two.cnf', false, ['aws_secret_access_key']],
    ],
  )
})

test('a file that is not there is not looked at', () => {
  assert.match(JSON.stringify(lookAtOptions('/nowhere/my.cnf')), /^\{"unseen"/)
})

test('AWS secrets are known by their names, in files of every kind', () => {
  const secret = 'wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY'
  for (const text of [
    `aws_secret_access_key = ${secret}`,
    `AWS_SECRET_ACCESS_KEY=${secret}`,
    `Environment="AWS_SECRET_ACCESS_KEY=${secret}"`,
    `"aws-secret-access-key": "${secret}"`,
  ])
    assert.deepEqual(awsSecretsIn(text), ['aws_secret_access_key'], text)
  for (const text of ['aws_secret_access_key =', 'aws_access_key_id = AKIAIOSFODNN7EXAMPLE', ''])
    assert.deepEqual(awsSecretsIn(text), [], text)
})
