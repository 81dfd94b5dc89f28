import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codesFound, examinedWith, serverWith } from '../../../test/support/doctor.ts'
import {
  agentWith,
  fileWith,
  mysqlUser,
  optionsWith,
  processWith,
} from '../../../test/support/doctor-facts.ts'
import type { ProcessFacts } from '../look/processes.ts'
import { seen } from '../looked.ts'
import { credentialsInOptionFiles, credentialsReadable, secretsInEnvironments } from './credentials.ts'

const reads = { reads: true, writes: false }

test('credentials that MariaDB’s user or everybody can read', () => {
  const codes = (parts: Parameters<typeof fileWith>[1]) =>
    codesFound(
      credentialsReadable,
      examinedWith({ serverUser: mysqlUser, files: seen([fileWith('credentials', parts)]) }),
    )
  assert.deepEqual(codes({}), [])
  assert.deepEqual(codes({ server: reads }), ['SRD_CREDENTIALS_READABLE'])
  assert.deepEqual(codes({ anybody: reads }), ['SRD_CREDENTIALS_READABLE'])
})

test('what a database user can do with them depends on secure_file_priv', () => {
  const said = (value: string) =>
    JSON.stringify(
      credentialsReadable.run(
        examinedWith({
          serverUser: mysqlUser,
          server: serverWith({ secure_file_priv: value }),
          files: seen([fileWith('credentials', { server: reads })]),
        }),
      ),
    )
  assert.match(said(''), /FILE privilege/)
  assert.doesNotMatch(said('/var/lib/mysql-files/'), /FILE privilege/)
})

test('credentials in the environment of a process', () => {
  const codes = (...looked: ProcessFacts[]) =>
    codesFound(
      secretsInEnvironments,
      examinedWith({
        agent: agentWith(),
        server: serverWith({}),
        serverUser: mysqlUser,
        agentAccessKeyIds: new Set(['AKIAIOSFODNN7EXAMPLE']),
        processes: seen({ looked, closed: [] }),
      }),
    )
  const ours = { hasAwsSecret: true, accessKeyId: 'AKIAIOSFODNN7EXAMPLE' }
  assert.deepEqual(codes(processWith(ours)), ['SRD_CREDENTIALS_IN_ENVIRONMENT'])
  assert.deepEqual(codes(processWith({ ...ours, pid: 815 })), [], 'the agent itself')
  assert.deepEqual(
    codes(processWith({ hasAwsSecret: true, accessKeyId: 'AKIAI44QH8DHBEXAMPLE' })),
    [],
    "another's",
  )
  assert.deepEqual(codes(processWith({ hasAwsSecret: true, uid: 102 })), ['SRD_CREDENTIALS_IN_ENVIRONMENT'])
  assert.deepEqual(codes(processWith({ hasAwsSecret: true, pid: 4711, uid: 0 })), [
    'SRD_CREDENTIALS_IN_ENVIRONMENT',
  ])
})

test('a token in the environment of a process, and of mariadb-backup', () => {
  const codes = (name: string) =>
    codesFound(
      secretsInEnvironments,
      examinedWith({
        processes: seen({ looked: [processWith({ name, hasKeyringToken: true })], closed: [] }),
      }),
    )
  assert.deepEqual(codes('bash'), ['SRD_TOKEN_IN_ENVIRONMENT'])
  assert.deepEqual(codes('mariadb-backup'), [])
})

test('processes that may not be looked into are said', () => {
  const run = (...closed: { pid: number; name: string }[]) =>
    secretsInEnvironments.run(examinedWith({ processes: seen({ looked: [], closed }) }))
  assert.deepEqual(run({ pid: 1, name: 'systemd' }), [
    { notChecked: 'process 1 (systemd) may not be looked into' },
  ])
  assert.deepEqual(run({ pid: 1, name: 'systemd' }, { pid: 9, name: 'sshd' }), [
    { notChecked: '2 processes may not be looked into; run doctor as root' },
  ])
})

test('AWS secrets in option files', () => {
  const files = [
    { path: '/etc/mysql/aws.cnf', holdsToken: false, awsSecrets: ['aws_secret_access_key'] },
    { path: '/etc/mysql/my.cnf', holdsToken: true, awsSecrets: [] },
  ]
  const host = examinedWith({ options: optionsWith({}, files) })
  assert.deepEqual(codesFound(credentialsInOptionFiles, host), ['SRD_CREDENTIALS_IN_OPTION_FILE'])
})
