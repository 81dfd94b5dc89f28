import { AssumeRoleCommand } from '@aws-sdk/client-sts'
import {
  CreateGrantCommand,
  type CreateGrantCommandInput,
  CreateKeyCommand,
  EncryptCommand,
  type KMSClient,
  ListGrantsCommand,
  PutKeyPolicyCommand,
  RetireGrantCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { startTestService, type TestService } from '../../../../test/support/kms-service.ts'

const userArn = (name: string): string => `arn:aws:iam::111122223333:user/${name}`
const rootArn = 'arn:aws:iam::111122223333:root'
const denied = { name: 'AccessDeniedException', message: /kms:RetireGrant/ }

interface Fixture {
  readonly service: TestService
  readonly root: KMSClient
  readonly bob: KMSClient
  readonly KeyId: string
  readonly grant: (
    input?: Partial<CreateGrantCommandInput>,
  ) => Promise<{ GrantId: string; GrantToken: string }>
}

async function fixture(t: TestContext): Promise<Fixture> {
  const service = await startTestService(t)
  const root = service.kms()
  const bob = service.kms(await service.makeUser('bob'))
  const { KeyMetadata } = await root.send(new CreateKeyCommand({}))
  const KeyId = KeyMetadata?.KeyId ?? assert.fail('no key id')
  return {
    ...{ service, root, bob, KeyId },
    async grant(input = {}) {
      const { GrantId, GrantToken } = await root.send(
        new CreateGrantCommand({
          KeyId,
          GranteePrincipal: userArn('bob'),
          Operations: ['Encrypt'],
          ...input,
        }),
      )
      assert.ok(GrantId !== undefined && GrantToken !== undefined)
      return { GrantId, GrantToken }
    },
  }
}

async function count(root: KMSClient, KeyId: string): Promise<number | undefined> {
  return (await root.send(new ListGrantsCommand({ KeyId }))).Grants?.length
}

describe('RetireGrant', () => {
  test('by token, or by key and grant id; what was granted ends at once', async (t) => {
    const { root, bob, KeyId, grant } = await fixture(t)
    const call = new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') })
    const first = await grant()
    await bob.send(call)
    await root.send(new RetireGrantCommand({ GrantToken: first.GrantToken }))
    await assert.rejects(bob.send(call), { name: 'AccessDeniedException' })
    const second = await grant()
    await bob.send(call)
    await root.send(new RetireGrantCommand({ KeyId, GrantId: second.GrantId }))
    await assert.rejects(bob.send(call), { name: 'AccessDeniedException' })
    assert.equal(await count(root, KeyId), 0)
    await assert.rejects(root.send(new RetireGrantCommand({ GrantToken: first.GrantToken })), {
      name: 'InvalidGrantTokenException',
    })
    await assert.rejects(root.send(new RetireGrantCommand({ KeyId, GrantId: second.GrantId })), {
      name: 'NotFoundException',
      message: `Grant ID ${second.GrantId} not found`,
    })
  })

  test('what it does not take', async (t) => {
    const { root, KeyId, grant } = await fixture(t)
    const { GrantId, GrantToken } = await grant()
    const table: [input: object, name: string][] = [
      [{}, 'ValidationException'],
      [{ KeyId }, 'ValidationException'],
      [{ GrantId }, 'ValidationException'],
      [{ GrantToken, KeyId, GrantId }, 'ValidationException'],
      [{ GrantToken, KeyId }, 'ValidationException'],
      [{ GrantToken: 'x' }, 'InvalidGrantTokenException'],
      [{ KeyId, GrantId: 'x' }, 'InvalidGrantIdException'],
      [{ KeyId: 'alias/x', GrantId }, 'NotFoundException'],
    ]
    for (const [input, name] of table) {
      await assert.rejects(root.send(new RetireGrantCommand(input)), { name }, JSON.stringify(input))
    }
    assert.equal(await count(root, KeyId), 1)
  })

  test('who may: the retiring principal, a grantee who was given it, the account', async (t) => {
    const { service, root, bob, KeyId, grant } = await fixture(t)
    const carl = service.kms(await service.makeUser('carl'))
    const dora = service.kms(await service.makeUser('dora', { Action: 'kms:RetireGrant' }))
    const eve = service.kms(
      await service.makeUser('eve', { Effect: 'Deny', Action: 'kms:RetireGrant' }, { Action: 'kms:*' }),
    )
    const admin = service.kms(
      await service.makeUser('admin', { Action: ['kms:RevokeGrant', 'kms:CreateGrant'] }),
    )
    const byCarl = { RetiringPrincipal: userArn('carl') }
    const withIt: Partial<CreateGrantCommandInput> = { Operations: ['RetireGrant', 'Encrypt'] }
    const table: [who: string, client: KMSClient, grant: Partial<CreateGrantCommandInput>, may: boolean][] = [
      ['the retiring principal', carl, byCarl, true],
      [
        'the retiring principal, of a constrained grant',
        carl,
        { ...byCarl, Constraints: { EncryptionContextEquals: { a: '1' } } },
        true,
      ],
      ['the grantee', bob, byCarl, false],
      ['the grantee with RetireGrant', bob, withIt, true],
      [
        'the grantee with RetireGrant, constrained',
        bob,
        { ...withIt, Constraints: { EncryptionContextEquals: { a: '1' } } },
        true,
      ],
      ['the grantee who is the retiring principal', bob, { RetiringPrincipal: userArn('bob') }, true],
      ['somebody else', carl, {}, false],
      ['the root user', root, byCarl, true],
      ['somebody whom the account allows it', dora, byCarl, true],
      ['the retiring principal to whom it is denied', eve, { RetiringPrincipal: userArn('eve') }, false],
      ['somebody who may revoke', admin, {}, false],
      ['a member of the account that is the retiring principal', carl, { RetiringPrincipal: rootArn }, false],
    ]
    for (const [who, client, input, may] of table) {
      const { GrantId } = await grant(input)
      const call = new RetireGrantCommand({ KeyId, GrantId })
      const dryRun = new RetireGrantCommand({ KeyId, GrantId, DryRun: true })
      if (may) {
        await assert.rejects(client.send(dryRun), { name: 'DryRunOperationException' }, who)
        await client.send(call)
      } else {
        await assert.rejects(client.send(call), denied, who)
        await assert.rejects(client.send(dryRun), denied, who)
        await root.send(call)
      }
    }
  })

  test('a grant to retire grants is for that grant alone', async (t) => {
    const { bob, KeyId, grant } = await fixture(t)
    await grant({ Operations: ['RetireGrant'] })
    const other = await grant({ Operations: ['Encrypt'] })
    await assert.rejects(bob.send(new RetireGrantCommand({ KeyId, GrantId: other.GrantId })), denied)
  })

  test('a key policy neither allows it nor leaves it to nobody', async (t) => {
    const { service, root, KeyId, grant } = await fixture(t)
    const carl = service.kms(await service.makeUser('carl'))
    const { GrantId } = await grant()
    const Statement = [
      { Effect: 'Allow', Principal: { AWS: userArn('carl') }, Action: 'kms:*', Resource: '*' },
      {
        Effect: 'Allow',
        Principal: { AWS: rootArn },
        Action: ['kms:PutKeyPolicy', 'kms:ListGrants'],
        Resource: '*',
      },
    ]
    await root.send(
      new PutKeyPolicyCommand({ KeyId, Policy: JSON.stringify({ Version: '2012-10-17', Statement }) }),
    )
    await assert.rejects(carl.send(new RetireGrantCommand({ KeyId, GrantId })), denied)
    await root.send(new RetireGrantCommand({ KeyId, GrantId }))
    assert.equal(await count(root, KeyId), 0)
  })

  test('an explicit Deny wins over the grant, wherever it stands', async (t) => {
    const { service, root, bob, KeyId, grant } = await fixture(t)
    const Effect = 'Deny'
    const carl = service.kms(await service.makeUser('carl', { Effect, Action: 'kms:RetireGrant' }))
    const toCarl = await grant({ RetiringPrincipal: userArn('carl') })
    const toBob = await grant({ RetiringPrincipal: userArn('bob') })
    const explicit = { name: 'AccessDeniedException', message: /with an explicit deny in an? / }
    await assert.rejects(carl.send(new RetireGrantCommand({ KeyId, GrantId: toCarl.GrantId })), explicit)
    const Statement = [
      { Effect: 'Allow', Principal: { AWS: rootArn }, Action: 'kms:*', Resource: '*' },
      { Effect, Principal: { AWS: userArn('bob') }, Action: 'kms:RetireGrant', Resource: '*' },
    ]
    const policy = (...statements: object[]) =>
      new PutKeyPolicyCommand({
        KeyId,
        Policy: JSON.stringify({ Version: '2012-10-17', Statement: statements }),
      })
    await root.send(policy(...Statement))
    for (const request of [{ KeyId, GrantId: toBob.GrantId }, { GrantToken: toBob.GrantToken }]) {
      await assert.rejects(bob.send(new RetireGrantCommand(request)), explicit)
    }
    await root.send(policy(...Statement.slice(0, 1)))
    await bob.send(new RetireGrantCommand({ KeyId, GrantId: toBob.GrantId }))
    assert.equal(await count(root, KeyId), 1)
  })

  test('a session of the retiring role may, and a key may be about to go', async (t) => {
    const { service, root, KeyId, grant } = await fixture(t)
    const roleArn = await service.makeRole('app', [{ Principal: { AWS: rootArn } }])
    const carl = await service.makeUser('carl', { Action: 'sts:AssumeRole' })
    const { Credentials } = await service
      .sts(carl)
      .send(new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: 's1' }))
    const session = service.kms({
      accessKeyId: Credentials?.AccessKeyId ?? '',
      secretAccessKey: Credentials?.SecretAccessKey ?? '',
      sessionToken: Credentials?.SessionToken ?? '',
    })
    const { GrantToken } = await grant({ RetiringPrincipal: roleArn })
    await root.send(new ScheduleKeyDeletionCommand({ KeyId }))
    await session.send(new RetireGrantCommand({ GrantToken }))
    assert.equal(await count(root, KeyId), 0)
  })

  test('the trail names the key, also when the request names the token alone', async (t) => {
    const { service, root, KeyId, grant } = await fixture(t)
    const { GrantToken } = await grant()
    await root.send(new RetireGrantCommand({ GrantToken }))
    const record = service.trail().find(({ eventName }) => eventName === 'RetireGrant')
    assert.match(JSON.stringify(record?.['resources']), new RegExp(KeyId))
    assert.ok(!JSON.stringify(record).includes(GrantToken))
  })
})
