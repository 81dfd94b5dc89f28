import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readArguments } from './options.ts'

const out = ['--credentials-out', 'file', '--yes']
const role = ['--role', 'db1', '--yes']
const id = '00112233445566778899aabbccddeeff'

test('a name alone says the rest', () => {
  const { wishes, mode, patience } = readArguments(['db1', ...out])
  assert.deepEqual(wishes, {
    server: 'db1',
    identity: { kind: 'user', name: 'strongroom-db1' },
    alias: 'alias/strongroom-db1',
    keyring: { context: 'bound', id: undefined },
    administrators: [],
    access: 'standing',
    requiresMfa: false,
    mayRewrap: false,
  })
  assert.deepEqual([mode, patience], ['yes', 60_000])
})

test('every wish is read', () => {
  const [alice, ops] = ['arn:aws:iam::111122223333:user/alice', 'arn:aws:iam::111122223333:role/a/ops']
  const { wishes } = readArguments([
    ...['db1', '--role', 'db1-role', '--trust', 'ec2', '--trust', ops, '--alias', 'alias/payroll/db1'],
    ...['--keyring-id', id, '--administrator', alice, '--administrator', ops, '--administrator', alice],
    ...['--access', 'grant', '--rewrap', '--dry-run'],
  ])
  assert.deepEqual(wishes, {
    server: 'db1',
    identity: { kind: 'role', name: 'db1-role', trusts: ['ec2', ops] },
    alias: 'alias/payroll/db1',
    keyring: { context: 'bound', id },
    administrators: [alice, ops],
    access: 'grant',
    requiresMfa: false,
    mayRewrap: true,
  })
})

const faults: { args: string[]; says: RegExp }[] = [
  { args: out, says: /takes the name of one database server/ },
  { args: ['db1', 'db2', ...out], says: /takes the name of one database server/ },
  { args: ['db 1', ...out], says: /a server is named by at most 40 letters/ },
  { args: ['db1', '--yes'], says: /--credentials-out is missing/ },
  { args: ['db1', '--credentials-out', 'file'], says: /there is no terminal at which to ask/ },
  { args: ['db1', '--yes', '--dry-run'], says: /exclude each other/ },
  { args: ['db1', '--dry-run', '--emit', 'cli'], says: /exclude each other/ },
  { args: ['db1', '--emit', 'pulumi'], says: /--emit takes terraform, cloudformation, cli/ },
  { args: ['db1', '--emit', 'terraform'], says: /--emit needs --keyring-id: .*generate for a new server/ },
  { args: ['db1', '--account-id', '111122223333', ...out], says: /--account-id is for --emit/ },
  {
    args: ['db1', '--keyring-id', id.toUpperCase(), ...out],
    says: /--keyring-id must be 32 hex digits in lower case/,
  },
  {
    args: ['db1', '--keyring-id', id, '--encryption-context', 'none', ...out],
    says: /--keyring-id has no effect/,
  },
  { args: ['db1', '--alias', 'alias/aws/ebs', ...out], says: /--alias must be alias\/NAME/ },
  {
    args: ['db1', '--administrator', 'arn:aws:iam::111122223333:root', ...out],
    says: /--administrator must be the ARN of a user or role/,
  },
  {
    args: ['db1', '--administrator', 'arn:aws:iam::111122223333:user/*', ...out],
    says: /--administrator must be the ARN of a user or role/,
  },
  { args: ['db1', '--access', 'none', ...out], says: /--access takes standing or grant/ },
  { args: ['db1', '--trust', 'ec2', ...out], says: /it goes with --role/ },
  { args: ['db1', ...role], says: /--role needs --trust/ },
  { args: ['db1', ...role, '--trust', 'anybody'], says: /--trust must be ec2, or the ARN/ },
  { args: ['db1', ...role, '--trust', 'ec2', '--user', 'u'], says: /--user and --role exclude each other/ },
  { args: ['db1', ...role, '--trust', 'ec2', '--require-mfa'], says: /an instance has no MFA device/ },
  { args: ['db1', ...role, '--trust', 'ec2', '--new-access-key'], says: /a role has no access key/ },
  { args: ['db1', '--wait', '1m', ...out], says: /--wait must be a number of seconds/ },
]

for (const { args, says } of faults) {
  test(`refused: ${args.join(' ')}`, () => {
    assert.throws(() => readArguments(args), { code: 'SR_USAGE', message: says })
  })
}
