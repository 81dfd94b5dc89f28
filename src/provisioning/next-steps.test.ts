import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keyringId, wishes } from '../../test/support/provisioned.ts'
import { nextSteps, type Outcome } from './next-steps.ts'
import { planFor } from './plan.ts'
import type { Wishes } from './wishes.ts'

const keyArn = 'arn:aws:kms:us-west-2:111122223333:key/0'
const outcome = {
  keyArn,
  region: 'us-west-2',
  endpointUrl: undefined,
  credentialsFile: 'db1',
  otherAccessKeys: [],
}

function stepsFor(wished: Partial<Wishes>, more: Partial<Outcome> = {}): string[] {
  const all = { ...wishes, ...wished }
  const account = { accountId: '111122223333', partition: 'aws' }
  const plan = planFor(all, { account, keyringId: all.keyring.context === 'none' ? undefined : keyringId })
  return nextSteps(plan, all, { ...outcome, ...more })
}

test('the host is configured with what was made', () => {
  assert.deepEqual(stepsFor({}), [
    'give db1 to the database host as /etc/strongroom/aws-credentials, and remove it here',
    `there: strongroom mariadb configure --master-key-id ${keyArn} --region us-west-2 --keyring-id ${keyringId}`,
  ])
  assert.match(
    stepsFor({ keyring: { context: 'none' } }, { endpointUrl: 'https://kms.example.com:8202' }).join('\n'),
    /--endpoint-url https:\/\/kms\.example\.com:8202 --encryption-context none$/,
  )
})

test('MFA needs a device, and the database is started with a code', () => {
  const steps = stepsFor({ requiresMfa: true })
  assert.deepEqual(
    steps.map((step) => step.split(' ').slice(0, 3).join(' ')),
    [
      'aws iam create-virtual-mfa-device',
      'aws iam enable-mfa-device',
      'give db1 to',
      'there: strongroom mariadb',
      'start the database',
    ],
  )
  assert.match(steps[2] ?? '', /whoever starts the database, and not to the database host/)
  assert.match(
    steps.join('\n'),
    /--credentials with-mfa\n.*strongroom with-mfa --serial arn:aws:iam::111122223333:mfa\/strongroom-db1 -- systemctl start mariadb$/,
  )
  const identity = { kind: 'role', name: 'db1', trusts: ['arn:aws:iam::111122223333:user/dba'] } as const
  assert.match(
    stepsFor({ requiresMfa: true, identity }, { credentialsFile: undefined }).at(-1) ?? '',
    /with-mfa --role-arn arn:aws:iam::111122223333:role\/strongroom\/db1 -- systemctl/,
  )
})

test('with grants the database is started in a window', () => {
  assert.equal(
    stepsFor({ access: 'grant' }).at(-1),
    `start the database by, from another host: strongroom master-key window alias/strongroom-db1 --grant arn:aws:iam::111122223333:user/strongroom/strongroom-db1 --keyring-id ${keyringId} --region us-west-2 --until-ready COMMAND`,
  )
  const endpointUrl = 'https://kms.example.com:8202'
  const there = stepsFor({ access: 'grant', requiresMfa: true }, { endpointUrl, otherAccessKeys: ['AKIA'] })
  assert.equal(there.join('\n').match(/aws iam/g), null)
  assert.match(there.at(-2) ?? '', /--endpoint-url https:\/\/kms\.example\.com:8202 --until-ready/)
})

test("a role for instances needs a profile, and the agent has the instance's credentials", () => {
  const identity = { kind: 'role', name: 'db1', trusts: ['ec2'] } as const
  const steps = stepsFor({ identity }, { credentialsFile: undefined })
  assert.match(steps[0] ?? '', /create-instance-profile/)
  assert.match(steps.at(-1) ?? '', /--credentials none$/)
})

test('of two access keys the other one is to be removed once it is not used any more', () => {
  const [step = ''] = stepsFor({}, { otherAccessKeys: ['AKIAIOSFODNN7EXAMPLE'] }).slice(-1)
  assert.match(
    step,
    /get-access-key-last-used --access-key-id AKIAIOSFODNN7EXAMPLE .*--status Inactive.*delete-access-key/,
  )
})
