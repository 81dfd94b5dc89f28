import { PutUserPolicyCommand } from '@aws-sdk/client-iam'
import {
  DescribeKeyCommand,
  DisableKeyCommand,
  GetKeyPolicyCommand,
  PutKeyPolicyCommand,
} from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { identityPolicy } from '../../../test/support/identities.ts'
import { startTestService, type TestService } from '../../../test/support/kms-service.ts'
import {
  accessTo,
  type ProvisionedServer,
  provisionServer,
  wishes,
} from '../../../test/support/provisioned.ts'
import type { Wishes } from '../wishes.ts'
import { isAsExpected, type Proof } from './probe.ts'
import { proveRights } from './prove-rights.ts'

const root = 'arn:aws:iam::111122223333:root'

async function proofsOf(
  service: TestService,
  { plan, keyArn, credentials }: ProvisionedServer,
  { patience = 0, ...wished }: Partial<Wishes> & { patience?: number } = {},
): Promise<{ proofs: Proof[]; waits: string[] }> {
  const [server, administrator] = [accessTo(service, credentials), accessTo(service)]
  const waits: string[] = []
  try {
    const proofs = await proveRights(
      { plan, keyArn, wishes: { ...wishes, ...wished } },
      { server, administrator, callerArn: root, patience, onWait: (why) => waits.push(why) },
    )
    return { proofs, waits }
  } finally {
    server.close()
    administrator.close()
  }
}

const variants: Readonly<Record<string, { wished: Partial<Wishes>; allowed: readonly string[] }>> = {
  'the default': {
    wished: {},
    allowed: ['kms:DescribeKey', 'kms:GenerateDataKeyWithoutPlaintext', 'kms:Decrypt', 'kms:GetKeyPolicy'],
  },
  rewrapping: {
    wished: { mayRewrap: true },
    allowed: [
      'kms:DescribeKey',
      'kms:GenerateDataKeyWithoutPlaintext',
      'kms:Decrypt',
      'kms:ReEncrypt',
      'kms:GetKeyPolicy',
    ],
  },
  'an unbound keyring': {
    wished: { keyring: { context: 'none' } },
    allowed: ['kms:DescribeKey', 'kms:GenerateDataKeyWithoutPlaintext', 'kms:Decrypt', 'kms:GetKeyPolicy'],
  },
  grants: {
    wished: { access: 'grant' },
    allowed: ['kms:DescribeKey', 'kms:GetKeyPolicy', 'kms:CreateGrant'],
  },
  MFA: { wished: { requiresMfa: true }, allowed: ['kms:DescribeKey', 'kms:GetKeyPolicy'] },
}

for (const [name, { wished, allowed }] of Object.entries(variants)) {
  test(`what was provisioned is proved: ${name}`, async (t) => {
    const service = await startTestService(t)
    const server = await provisionServer(service, wished)
    const { proofs, waits } = await proofsOf(service, server, wished)
    assert.deepEqual(
      proofs.filter((proof) => !isAsExpected(proof)),
      [],
    )
    assert.deepEqual(
      proofs.filter(({ found }) => found === 'allowed').map(({ action }) => action),
      allowed,
    )
    assert.ok(proofs.length >= 30)
    assert.deepEqual(waits, [])
  })
}

test('a policy that lets everybody do everything fails every proof of a refusal, and nothing is harmed by that', async (t) => {
  const service = await startTestService(t)
  const server = await provisionServer(service)
  const { keyArn: KeyId } = server
  const kms = service.kms()
  const open = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { AWS: [root, server.plan.identity.arn] },
        Action: 'kms:*',
        Resource: '*',
      },
    ],
  })
  await kms.send(new PutKeyPolicyCommand({ KeyId, Policy: open }))
  const UserName = 'strongroom-db1'
  const PolicyDocument = identityPolicy({ Action: ['iam:*', 'kms:*'] })
  await service.iam().send(new PutUserPolicyCommand({ UserName, PolicyName: 'extra', PolicyDocument }))
  const before = service.trail().length
  const { proofs } = await proofsOf(service, server)
  const refusals = proofs.filter(({ expected }) => expected === 'refused')
  assert.deepEqual(
    refusals.filter(({ found }) => found !== 'allowed'),
    [],
  )
  assert.ok(refusals.length > 25)
  const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId }))
  assert.equal(KeyMetadata?.KeyState, 'Enabled')
  const changing = service
    .trail()
    .slice(before)
    .filter(({ readOnly, errorCode }) => readOnly === false && errorCode === undefined)
    .map(({ eventName }) => eventName)
  // Each writes what is there already.
  const harmless = [
    'EnableKey',
    'TagResource',
    'UpdateKeyDescription',
    'UpdateAlias',
    'TagUser',
    'UpdateUser',
  ]
  assert.deepEqual(
    changing.filter((name) => !harmless.some((one) => one === name)),
    [],
  )
})

test('what cannot be told is no proof', async (t) => {
  const service = await startTestService(t)
  const server = await provisionServer(service)
  await service.kms().send(new DisableKeyCommand({ KeyId: server.keyArn }))
  const { proofs } = await proofsOf(service, server)
  const decrypt = proofs.find(({ action, expected }) => action === 'kms:Decrypt' && expected === 'allowed')
  assert.ok(decrypt !== undefined && !isAsExpected(decrypt))
  assert.match(decrypt.detail ?? '', /Exception/)
})

test('it waits, visibly, until AWS knows what was changed', async (t) => {
  const service = await startTestService(t)
  const server = await provisionServer(service)
  const { keyArn: KeyId } = server
  const kms = service.kms()
  const { Policy } = await kms.send(new GetKeyPolicyCommand({ KeyId, PolicyName: 'default' }))
  const closed = (Policy ?? '').replaceAll(
    '"kms:Decrypt","kms:GenerateDataKeyWithoutPlaintext"',
    '"kms:GetPublicKey"',
  )
  assert.notEqual(closed, Policy)
  await kms.send(new PutKeyPolicyCommand({ KeyId, Policy: closed }))
  const proving = proofsOf(service, server, { patience: 60_000 })
  const known = new Promise((resolve) => setTimeout(resolve, 1500)).then(() =>
    kms.send(new PutKeyPolicyCommand({ KeyId, Policy })),
  )
  const [{ proofs, waits }] = await Promise.all([proving, known])
  assert.deepEqual(
    proofs.filter((proof) => !isAsExpected(proof)),
    [],
  )
  assert.deepEqual(waits, ['waiting until AWS lets the server kms:GenerateDataKeyWithoutPlaintext'])
})
