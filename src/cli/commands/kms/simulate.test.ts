import { CreateKeyCommand, EncryptCommand } from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { pino } from 'pino'
import { makeUser } from '../../../../test/support/identities.ts'
import { startTestService } from '../../../../test/support/kms-service.ts'
import { kmsState } from '../../../../test/support/kms-state.ts'
import { scratchDirectory } from '../../../../test/support/scratch.ts'
import { type Run, strongroom } from '../../../../test/support/strongroom.ts'
import { openAdminSocket } from '../../../kms/admin/server.ts'
import { simulationHandlers } from '../../../kms/simulation/handlers.ts'
import { simulate as command } from './simulate.ts'

const policyOf = (...Statement: object[]): string => JSON.stringify({ Version: '2012-10-17', Statement })
const aliceArn = 'arn:aws:iam::111122223333:user/alice'

interface Scene {
  readonly directory: string
  readonly keyArn: string
  readonly simulate: (...args: string[]) => Promise<Run>
}

/** A service's admin socket, behind which alice may decrypt for the payroll by a policy of her own. */
async function scene(t: TestContext): Promise<Scene> {
  const state = await kmsState(t)
  const directory = scratchDirectory(t)
  const socket = await openAdminSocket(directory, simulationHandlers(state), pino({ level: 'silent' }))
  t.after(() => socket.close())
  const alice = state.users.create({ userName: 'alice', path: '/', tags: new Map() })
  state.inlinePolicies.put(
    alice.userId,
    'Payroll',
    policyOf({
      Sid: 'Decrypt',
      Effect: 'Allow',
      Action: 'kms:Decrypt',
      Resource: '*',
      Condition: { StringEquals: { 'kms:EncryptionContext:app': 'pay=roll' } },
    }),
  )
  const key = state.keys.create({
    description: '',
    policy: policyOf({
      Effect: 'Allow',
      Principal: { AWS: '111122223333' },
      Action: ['kms:Decrypt', 'kms:Encrypt'],
      Resource: '*',
    }),
  })
  state.aliases.create('alias/payroll', key.keyId)
  const simulate = (...args: string[]): Promise<Run> =>
    strongroom(['kms', 'simulate', '--data', directory, ...args])
  return { directory, keyArn: key.arn, simulate }
}

test('says who may do what, and which statement says so', async (t) => {
  const { keyArn, simulate } = await scene(t)
  const question = ['--key', 'alias/payroll', '--action', 'kms:Decrypt', '--principal', aliceArn]
  assert.deepEqual(await simulate(...question, '--context', 'app=pay=roll'), {
    code: 0,
    stdout: `${aliceArn} may kms:Decrypt on ${keyArn}
  allowed by statement 1 of key policy, and by statement 1 "Decrypt" of inline policy Payroll of user alice
  looked at: key policy (resource-based)
  looked at: inline policy Payroll of user alice (identity-based)
`,
    stderr: '',
  })
  const refused = await simulate(...question)
  assert.equal(refused.code, 1)
  assert.equal(
    refused.stdout.split('\n').slice(0, 2).join('\n'),
    `${aliceArn} may not kms:Decrypt on ${keyArn}
  refused: it is left to the account, and no policy of the principal, its groups or its role allows it`,
  )
})

test('a running service answers, and does what it says', async (t) => {
  const service = await startTestService(t)
  const alice = await makeUser(service.iam(), 'alice', [{ Action: 'kms:Encrypt' }])
  const { KeyMetadata } = await service.kms().send(new CreateKeyCommand({}))
  const KeyId = KeyMetadata?.Arn ?? assert.fail('the key has no ARN')
  const ask = (action: string): Promise<Run> =>
    strongroom([
      ...['kms', 'simulate', '--data', service.directory, '--key', KeyId],
      ...['--principal', aliceArn, '--action', action],
    ])
  const allowed = await ask('kms:Encrypt')
  assert.match(
    allowed.stdout,
    /^ {2}allowed by statement 1 "Enable IAM User Permissions" of key policy, and by statement 1 of inline policy inline of user alice$/m,
  )
  await service.kms(alice).send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }))
  assert.equal((await ask('kms:Decrypt')).code, 1)
})

test('lists everybody', async (t) => {
  const { simulate } = await scene(t)
  assert.deepEqual(await simulate('--key', 'alias/payroll', '--context', 'app=pay=roll'), {
    code: 0,
    stdout: `arn:aws:iam::111122223333:root:
  kms:Decrypt: allowed by statement 1 of key policy
  kms:Encrypt: allowed by statement 1 of key policy
${aliceArn}:
  kms:Decrypt: allowed by statement 1 of key policy, and by statement 1 "Decrypt" of inline policy Payroll of user alice
`,
    stderr: '',
  })
})

test('--json is for programs', async (t) => {
  const { keyArn, simulate } = await scene(t)
  const { code, stdout } = await simulate('--json', '--key', 'alias/payroll', '--action', 'kms:Encrypt')
  assert.equal(code, 0)
  assert.deepEqual(JSON.parse(stdout), [
    {
      principal: 'arn:aws:iam::111122223333:root',
      action: 'kms:Encrypt',
      resource: keyArn,
      decision: {
        allowed: true,
        grounds: [{ type: 'resource-based', policy: 'key policy', statement: 'statement 1' }],
      },
      why: 'allowed by statement 1 of key policy',
      policies: [{ type: 'resource-based', policy: 'key policy' }],
      grants: [],
      keyState: 'Enabled',
    },
    {
      principal: aliceArn,
      action: 'kms:Encrypt',
      resource: keyArn,
      decision: { allowed: false, because: 'no allow', missing: 'identity-based' },
      why: 'refused: it is left to the account, and no policy of the principal, its groups or its role allows it',
      policies: [
        { type: 'resource-based', policy: 'key policy' },
        { type: 'identity-based', policy: 'inline policy Payroll of user alice' },
      ],
      grants: [],
      keyState: 'Enabled',
    },
  ])
})

test('every option reaches the question', async (t) => {
  const { directory, simulate } = await scene(t)
  const policy = join(directory, 'session.json')
  writeFileSync(policy, policyOf({ Effect: 'Deny', Action: '*', Resource: '*' }))
  const refusals: [args: string[], message: RegExp][] = [
    [['--principal', `${aliceArn}x`, '--action', 'kms:Decrypt'], /there is no user or role .*alicex/],
    [['--key', 'alias/payroll', '--region', 'ap-south-1'], /the region ap-south-1 is not served/],
    [['--action', 'kms:Decrypt', '--condition', 'kms:Nothing=1'], /there is no condition key kms:Nothing/],
    [['--action', 'kms:Decrypt', '--at', 'tomorrow'], /at/],
    [['--key', 'alias/payroll', '--resource', aliceArn], /about a key or something else/],
  ]
  for (const [args, message] of refusals) {
    const asked = command.run(['--data', directory, ...args])
    await assert.rejects(asked, { code: 'SR_KMS_SIMULATION', message }, args.join(' '))
  }
  assert.equal(refusals.length, 5)
  const all = [
    '--session-policy',
    policy,
    '--session-tag',
    'a=b',
    '--source-identity',
    'x',
    '--user-agent',
    'x',
  ]
  const accepted = await simulate(
    ...[
      '--key',
      'alias/payroll',
      '--temporary',
      '--mfa-age',
      '60',
      '--source-ip',
      '10.0.0.1',
      '--plain-http',
    ],
    ...['--at', '2030-01-01T00:00:00Z', ...all],
  )
  assert.deepEqual({ code: accepted.code, stderr: accepted.stderr }, { code: 0, stderr: '' })
})

test('usage, and a service that does not run', async (t) => {
  const directory = scratchDirectory(t)
  const table: [args: string[], code: string, message: RegExp][] = [
    [['--action', 'kms:Decrypt'], 'SR_USAGE', /--data DIR is missing/],
    [['--data', directory], 'SR_USAGE', /--action or --key is missing/],
    [
      ['--data', directory, '--action', 'kms:Decrypt', '--context', 'app'],
      'SR_USAGE',
      /--context takes NAME=VALUE/,
    ],
    [
      ['--data', directory, '--action', 'kms:Decrypt', '--mfa-age', 'x'],
      'SR_USAGE',
      /--mfa-age takes a number of seconds/,
    ],
    [['--data', directory, '--action', 'kms:Decrypt', '--nothing'], 'SR_USAGE', /nothing/],
    [
      ['--data', directory, '--key', 'k', '--session-policy', '/nowhere'],
      'SR_USAGE',
      /cannot read \/nowhere \(ENOENT/,
    ],
    [['--data', directory, '--action', 'kms:Decrypt'], 'SR_KMS_SIMULATION', /no KMS service runs on/],
  ]
  for (const [args, code, message] of table) {
    await assert.rejects(command.run(args), { code, message }, args.join(' '))
  }
  assert.equal(table.length, 7)
})
