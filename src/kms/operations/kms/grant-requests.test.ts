import {
  CreateGrantCommand,
  type CreateGrantCommandInput,
  CreateKeyCommand,
  EncryptCommand,
  type KMSClient,
  ListGrantsCommand,
  ListRetirableGrantsCommand,
  PutKeyPolicyCommand,
  RevokeGrantCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, test, type TestContext } from 'node:test'
import { startTestService, type TestService } from '../../../../test/support/kms-service.ts'

const userArn = (name: string): string => `arn:aws:iam::111122223333:user/${name}`
const rootArn = 'arn:aws:iam::111122223333:root'
const unknownGrantId = 'ab'.repeat(32)

interface Fixture {
  readonly service: TestService
  readonly root: KMSClient
  readonly bob: KMSClient
  readonly KeyId: string
  readonly keyArn: string
  /** A right request, but for what is given. */
  readonly create: (input?: Partial<CreateGrantCommandInput>) => CreateGrantCommand
}

async function fixture(t: TestContext): Promise<Fixture> {
  const service = await startTestService(t)
  const root = service.kms()
  const bob = service.kms(await service.makeUser('bob'))
  const { KeyMetadata } = await root.send(new CreateKeyCommand({}))
  const KeyId = KeyMetadata?.KeyId ?? assert.fail('no key id')
  const keyArn = KeyMetadata?.Arn ?? assert.fail('no key ARN')
  return {
    ...{ service, root, bob, KeyId, keyArn },
    create: (input = {}) =>
      new CreateGrantCommand({ KeyId, GranteePrincipal: userArn('bob'), Operations: ['Encrypt'], ...input }),
  }
}

describe('requests about grants', () => {
  test('what CreateGrant does not take', async (t) => {
    const { service, root, create } = await fixture(t)
    await service.makeRole('app', [{ Principal: { AWS: rootArn } }])
    const pairs = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`k${i}`, 'v']))
    const table: [input: Partial<CreateGrantCommandInput>, exception: string, message: RegExp][] = [
      [{ GranteePrincipal: userArn('nobody') }, 'InvalidArnException', /user\/nobody$/],
      [{ GranteePrincipal: 'arn:aws:iam::999999999999:user/bob' }, 'InvalidArnException', /valid principal/],
      [{ GranteePrincipal: 'arn:aws:iam::999999999999:root' }, 'InvalidArnException', /valid principal/],
      [{ GranteePrincipal: 'dynamodb.us-east-1.amazonaws.com' }, 'InvalidArnException', /valid principal/],
      [{ GranteePrincipal: userArn('BOB') }, 'InvalidArnException', /valid principal/],
      ...[
        '999999999999:assumed-role/app/s1',
        '111122223333:assumed-role/APP/s1',
        '111122223333:assumed-role/app/s',
      ].map((session): [Partial<CreateGrantCommandInput>, string, RegExp] => [
        { GranteePrincipal: `arn:aws:sts::${session}` },
        'InvalidArnException',
        /valid principal/,
      ]),
      [
        { GranteePrincipal: 'arn:aws:sts::111122223333:assumed-role/none/s' },
        'InvalidArnException',
        /valid principal/,
      ],
      [
        { GranteePrincipal: undefined },
        'ValidationException',
        /^1 .*Value null at 'granteePrincipal'.*not be null$/,
      ],
      [
        { GranteePrincipal: 'b b' },
        'ValidationException',
        /'b b' at 'granteePrincipal'.*\^\[\\w\+=,\.@:\/-\]\+\$$/,
      ],
      [{ GranteePrincipal: 'b'.repeat(257) }, 'ValidationException', /less than or equal to 256$/],
      [{ RetiringPrincipal: userArn('nobody') }, 'InvalidArnException', /user\/nobody$/],
      [
        { GranteeServicePrincipal: 'a.amazonaws.com' },
        'UnsupportedOperationException',
        /GranteeServicePrincipal/,
      ],
      [
        { RetiringServicePrincipal: 'a.amazonaws.com' },
        'UnsupportedOperationException',
        /RetiringServicePrincipal/,
      ],
      [{ Constraints: { SourceArn: 'arn:aws:s3:::b' } }, 'UnsupportedOperationException', /SourceArn/],
      [{ Operations: undefined }, 'ValidationException', /'operations'.*not be null$/],
      [{ Operations: [] }, 'ValidationException', /'operations'.*length greater than or equal to 1$/],
      [
        { Operations: ['Sign', 'Encrypt'] },
        'ValidationException',
        /^Grant operations Sign are not supported/,
      ],
      [{ Operations: ['GetPublicKey'] }, 'ValidationException', /SYMMETRIC_DEFAULT/],
      [{ Operations: ['GenerateMac'] }, 'ValidationException', /SYMMETRIC_DEFAULT/],
      [
        { Constraints: { EncryptionContextEquals: { a: '1' }, EncryptionContextSubset: { a: '1' } } },
        'ValidationException',
        /not both/,
      ],
      [{ Constraints: { EncryptionContextSubset: pairs } }, 'LimitExceededException', /at most 8 pairs/],
      [
        { Constraints: { EncryptionContextEquals: { a: 'x'.repeat(385) } } },
        'LimitExceededException',
        /at most 384 characters/,
      ],
      [{ Name: 'a b' }, 'ValidationException', /'a b' at 'name'/],
      [{ Name: 'a'.repeat(257) }, 'ValidationException', /less than or equal to 256$/],
      [{ GrantTokens: ['x'] }, 'InvalidGrantTokenException', /not valid/],
      [
        { GrantTokens: Array.from({ length: 11 }, () => 'x') },
        'ValidationException',
        /less than or equal to 10$/,
      ],
      [{ KeyId: 'alias/x' }, 'NotFoundException', /^Invalid keyId 'alias\/x'$/],
    ]
    for (const [input, name, message] of table) {
      await assert.rejects(root.send(create(input)), { name, message }, JSON.stringify(input))
    }
    const unknown = Object.assign(create().input, { Operations: ['ScheduleKeyDeletion'] })
    await assert.rejects(root.send(new CreateGrantCommand(unknown)), {
      name: 'ValidationException',
      message: /enum value set: \[Decrypt, /,
    })
    await root.send(create({ Operations: ['GenerateDataKeyPair', 'GenerateDataKeyPairWithoutPlaintext'] }))
    const eight = { ...Object.fromEntries(Object.entries(pairs).slice(0, 8)), k7: 'x'.repeat(384) }
    await root.send(create({ Constraints: { EncryptionContextSubset: eight } }))
    await root.send(create({ GranteePrincipal: 'arn:aws:sts::111122223333:assumed-role/app/s1' }))
    // What constrains nothing does not count.
    await root.send(
      create({ Constraints: { EncryptionContextEquals: { a: '1' }, EncryptionContextSubset: {} } }),
    )
  })

  test('a list shows each grant as Amazon does', async (t) => {
    const { root, KeyId, keyArn, create } = await fixture(t)
    const made = await root.send(
      create({
        Name: 'for-bob',
        Operations: ['Decrypt', 'Encrypt', 'Decrypt'],
        RetiringPrincipal: rootArn,
        Constraints: { EncryptionContextEquals: { b: '2', a: '1' } },
      }),
    )
    const { Grants, Truncated, NextMarker } = await root.send(new ListGrantsCommand({ KeyId: keyArn }))
    assert.deepEqual([Truncated, NextMarker], [false, undefined])
    const [{ CreationDate, ...rest } = {}] = Grants ?? []
    assert.ok(Math.abs((CreationDate?.getTime() ?? 0) - Date.now()) < 60_000)
    assert.deepEqual(rest, {
      KeyId: keyArn,
      GrantId: made.GrantId,
      Name: 'for-bob',
      GranteePrincipal: userArn('bob'),
      RetiringPrincipal: rootArn,
      IssuingAccount: rootArn,
      Operations: ['Decrypt', 'Encrypt'],
      Constraints: { EncryptionContextEquals: { a: '1', b: '2' } },
    })
    assert.match(made.GrantId ?? '', /^[0-9a-f]{64}$/)
    const { Grants: retirable } = await root.send(
      new ListRetirableGrantsCommand({ RetiringPrincipal: rootArn }),
    )
    assert.deepEqual(retirable, Grants)
    const bare = await root.send(create({ GranteePrincipal: rootArn }))
    const listed = await root.send(new ListGrantsCommand({ KeyId, GrantId: bare.GrantId }))
    const [bareEntry] = listed.Grants ?? []
    assert.deepEqual(bareEntry, {
      CreationDate: bareEntry?.CreationDate,
      KeyId: keyArn,
      GrantId: bare.GrantId,
      Name: '',
      GranteePrincipal: rootArn,
      IssuingAccount: rootArn,
      Operations: ['Encrypt'],
    })
  })

  test('lists are of one key, one grant, one grantee, one retiring principal', async (t) => {
    const { service, root, KeyId, create } = await fixture(t)
    await service.makeUser('carl')
    const other = (await root.send(new CreateKeyCommand({}))).KeyMetadata?.KeyId ?? ''
    const ids: (string | undefined)[] = []
    for (const input of [
      {},
      { GranteePrincipal: userArn('carl') },
      { RetiringPrincipal: userArn('carl') },
      { KeyId: other, RetiringPrincipal: userArn('carl') },
    ]) {
      ids.push((await root.send(create(input))).GrantId)
    }
    const [toBob, toCarl, byCarl, elsewhere] = ids
    const list = async (input: object): Promise<(string | undefined)[]> =>
      ((await root.send(new ListGrantsCommand({ KeyId, ...input }))).Grants ?? []).map(
        ({ GrantId }) => GrantId,
      )
    assert.deepEqual((await list({})).sort(), [toBob, toCarl, byCarl].sort())
    assert.deepEqual(await list({ GrantId: toCarl }), [toCarl])
    assert.deepEqual(await list({ GranteePrincipal: userArn('carl') }), [toCarl])
    assert.deepEqual(await list({ GranteePrincipal: userArn('carl'), GrantId: toBob }), [])
    assert.deepEqual(await list({ GranteePrincipal: userArn('nobody') }), [])
    assert.deepEqual(await list({ GrantId: elsewhere }), [])
    assert.deepEqual(await list({ GrantId: unknownGrantId }), [])
    assert.deepEqual(await list({ KeyId: other }), [elsewhere])
    const retirable = await root.send(new ListRetirableGrantsCommand({ RetiringPrincipal: userArn('carl') }))
    assert.deepEqual(
      (retirable.Grants ?? []).map(({ GrantId }) => GrantId).sort(),
      [byCarl, elsewhere].sort(),
    )
    await assert.rejects(list({ GrantId: 'x' }), { name: 'InvalidGrantIdException' })
    await assert.rejects(
      root.send(new ListRetirableGrantsCommand({ RetiringPrincipal: userArn('nobody') })),
      {
        name: 'InvalidArnException',
      },
    )
  })

  test('a request that comes again with the same name makes no second grant', async (t) => {
    const { service, root, KeyId, create } = await fixture(t)
    await service.makeUser('carl')
    const input: Partial<CreateGrantCommandInput> = {
      Name: 'n',
      Operations: ['Encrypt', 'Decrypt'],
      RetiringPrincipal: userArn('carl'),
      Constraints: { EncryptionContextSubset: { a: '1', b: '2' } },
    }
    const first = await root.send(create(input))
    const reordered = await root.send(
      create({
        ...input,
        Operations: ['Decrypt', 'Encrypt'],
        Constraints: { EncryptionContextSubset: { b: '2', a: '1' } },
      }),
    )
    assert.equal(reordered.GrantId, first.GrantId)
    assert.notEqual(reordered.GrantToken, first.GrantToken)
    const different: Partial<CreateGrantCommandInput>[] = [
      { Name: 'm' },
      { Name: undefined },
      { Operations: ['Encrypt'] },
      { GranteePrincipal: userArn('carl') },
      { RetiringPrincipal: undefined },
      { RetiringPrincipal: userArn('bob') },
      { Constraints: { EncryptionContextSubset: { a: '1' } } },
      { Constraints: { EncryptionContextEquals: { a: '1', b: '2' } } },
      { Constraints: undefined },
    ]
    const ids = new Set([first.GrantId])
    for (const change of different) ids.add((await root.send(create({ ...input, ...change }))).GrantId)
    assert.equal(ids.size, different.length + 1)
    const unnamed = await root.send(create({ ...input, Name: undefined }))
    assert.ok(!ids.has(unnamed.GrantId))
    await root.send(new RevokeGrantCommand({ KeyId, GrantId: first.GrantId }))
    assert.ok(!ids.has((await root.send(create(input))).GrantId))
  })

  test('policies can limit what grants are made', async (t) => {
    const { service, root, KeyId, create } = await fixture(t)
    await service.makeUser('carl')
    const table: [
      condition: object,
      right: Partial<CreateGrantCommandInput>,
      wrong: Partial<CreateGrantCommandInput>,
    ][] = [
      [
        { 'ForAllValues:StringEquals': { 'kms:GrantOperations': ['Encrypt', 'ReEncryptTo'] } },
        { Operations: ['ReEncryptTo', 'Encrypt'] },
        { Operations: ['Encrypt', 'Decrypt'] },
      ],
      [
        { StringEquals: { 'kms:GranteePrincipal': userArn('carl') } },
        { GranteePrincipal: userArn('carl') },
        { GranteePrincipal: userArn('bob') },
      ],
      [
        { StringEquals: { 'kms:RetiringPrincipal': userArn('carl') } },
        { RetiringPrincipal: userArn('carl') },
        {},
      ],
      [
        { StringEquals: { 'kms:GrantConstraintType': 'EncryptionContextEquals' } },
        { Constraints: { EncryptionContextEquals: { a: '1' } } },
        { Constraints: { EncryptionContextSubset: { a: '1' } } },
      ],
      [
        { Null: { 'kms:GrantConstraintType': 'false' } },
        { Constraints: { EncryptionContextSubset: { a: '1' } } },
        { Constraints: { EncryptionContextSubset: {} } },
      ],
      [
        { StringEquals: { 'kms:EncryptionContext:a': '1' } },
        { Constraints: { EncryptionContextSubset: { a: '1' } } },
        { Constraints: { EncryptionContextSubset: { a: '2' } } },
      ],
      [{ Bool: { 'kms:GrantIsForAWSResource': 'false' } }, {}, { KeyId: '' }],
    ]
    for (const [i, [Condition, right, wrong]] of table.entries()) {
      const client = service.kms(await service.makeUser(`u${i}`, { Action: 'kms:CreateGrant', Condition }))
      await client.send(create(right))
      if (wrong.KeyId === '') continue
      await assert.rejects(
        client.send(create(wrong)),
        { name: 'AccessDeniedException', message: /kms:CreateGrant/ },
        JSON.stringify(Condition),
      )
    }
    const aws = { Action: 'kms:*Grant*', Condition: { Bool: { 'kms:GrantIsForAWSResource': 'true' } } }
    const never = service.kms(await service.makeUser('never', aws))
    const { GrantId } = await root.send(create())
    for (const call of [
      () => never.send(create()),
      () => never.send(new ListGrantsCommand({ KeyId })),
      () => never.send(new RevokeGrantCommand({ KeyId, GrantId })),
    ]) {
      await assert.rejects(call(), { name: 'AccessDeniedException' })
    }
  })

  test('ListRetirableGrants asks for permission for the retiring principal', async (t) => {
    const { service } = await fixture(t)
    const Action = 'kms:ListRetirableGrants'
    const carl = service.kms(await service.makeUser('carl', { Action, Resource: userArn('carl') }))
    await carl.send(new ListRetirableGrantsCommand({ RetiringPrincipal: userArn('carl') }))
    await assert.rejects(carl.send(new ListRetirableGrantsCommand({ RetiringPrincipal: userArn('bob') })), {
      name: 'AccessDeniedException',
      message: /resource: arn:aws:iam::111122223333:user\/bob/,
    })
  })

  test('RevokeGrant of what is not there', async (t) => {
    const { root, KeyId, create } = await fixture(t)
    const other = (await root.send(new CreateKeyCommand({}))).KeyMetadata?.KeyId
    const { GrantId } = await root.send(create())
    const notFound = { name: 'NotFoundException' }
    await assert.rejects(root.send(new RevokeGrantCommand({ KeyId, GrantId: unknownGrantId })), {
      ...notFound,
      message: `Grant ID ${unknownGrantId} not found`,
    })
    await assert.rejects(root.send(new RevokeGrantCommand({ KeyId: other, GrantId })), notFound)
    await assert.rejects(root.send(new RevokeGrantCommand({ KeyId, GrantId: 'x' })), {
      name: 'InvalidGrantIdException',
    })
    await root.send(new RevokeGrantCommand({ KeyId, GrantId }))
    await assert.rejects(root.send(new RevokeGrantCommand({ KeyId, GrantId })), notFound)
  })

  test('RevokeGrant needs kms:RevokeGrant, by key policy or by the account', async (t) => {
    const { service, root, bob, KeyId, create } = await fixture(t)
    const ids = [await root.send(create()), await root.send(create())].map(({ GrantId }) => GrantId)
    const revoke = (i: number): RevokeGrantCommand => new RevokeGrantCommand({ KeyId, GrantId: ids[i] })
    await assert.rejects(bob.send(revoke(0)), { name: 'AccessDeniedException' })
    const carl = service.kms(await service.makeUser('carl', { Action: 'kms:RevokeGrant' }))
    await carl.send(revoke(0))
    const Statement = [
      { Effect: 'Allow', Principal: { AWS: rootArn }, Action: 'kms:PutKeyPolicy', Resource: '*' },
      { Effect: 'Allow', Principal: { AWS: userArn('bob') }, Action: 'kms:RevokeGrant', Resource: '*' },
    ]
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement })
    await root.send(new PutKeyPolicyCommand({ KeyId, Policy }))
    await assert.rejects(carl.send(revoke(1)), { name: 'AccessDeniedException' })
    await bob.send(revoke(1))
  })

  test('DryRun says what would be, and changes nothing', async (t) => {
    const { root, bob, KeyId, create } = await fixture(t)
    const would = { name: 'DryRunOperationException' }
    await assert.rejects(root.send(create({ DryRun: true })), would)
    await assert.rejects(root.send(create({ DryRun: true, GranteePrincipal: userArn('nobody') })), {
      name: 'InvalidArnException',
    })
    await assert.rejects(bob.send(create({ DryRun: true })), { name: 'AccessDeniedException' })
    const { GrantId } = await root.send(create())
    await assert.rejects(root.send(new RevokeGrantCommand({ KeyId, GrantId, DryRun: true })), would)
    assert.equal((await root.send(new ListGrantsCommand({ KeyId }))).Grants?.length, 1)
  })

  test('a key that is pending deletion gets no grant, but loses it', async (t) => {
    const { root, KeyId, keyArn, create } = await fixture(t)
    const { GrantId } = await root.send(create())
    await root.send(new ScheduleKeyDeletionCommand({ KeyId }))
    await assert.rejects(root.send(create()), {
      name: 'KMSInvalidStateException',
      message: `${keyArn} is pending deletion.`,
    })
    await root.send(new ListGrantsCommand({ KeyId }))
    await root.send(new RevokeGrantCommand({ KeyId, GrantId }))
  })

  test('a key has at most 50,000 grants, and those of others cost a grantee no time', async (t) => {
    const { service, KeyId, create } = await fixture(t)
    await service.kms().send(create())
    const credentials = await service.makeUser('eve')
    await service.reopen(() => {
      const database = new DatabaseSync(join(service.directory, 'kms.db'))
      database.exec(
        'INSERT INTO grants (region, grant_id, key_id, grantee_principal, grantee_id, operations, created_at, tag) ' +
          "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 49998) SELECT region, 'g' || i, key_id, " +
          "'arn', 'other' || i, operations, created_at, tag FROM grants, n",
      )
      database.close()
    })
    const root = service.kms()
    const last = await root.send(create())
    await assert.rejects(root.send(create()), {
      name: 'LimitExceededException',
      message: 'A key has at most 50000 grants.',
    })
    const mine = await root.send(new ListGrantsCommand({ KeyId, GranteePrincipal: userArn('bob') }))
    assert.deepEqual([mine.Grants?.length, mine.Truncated], [2, false])
    const eve = service.kms(credentials)
    const call = new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') })
    await assert.rejects(eve.send(call), { name: 'AccessDeniedException' })
    await root.send(new RevokeGrantCommand({ KeyId, GrantId: last.GrantId }))
    await root.send(create())
  })

  test('a principal has at most 1,000 grants for a key', async (t) => {
    const { service, KeyId, create } = await fixture(t)
    const named = create({ Name: 'n' })
    const { GrantId } = await service.kms().send(named)
    await service.reopen(() => {
      const database = new DatabaseSync(join(service.directory, 'kms.db'))
      database.exec(
        'INSERT INTO grants (region, grant_id, key_id, grantee_principal, grantee_id, operations, created_at, tag) ' +
          "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 998) SELECT region, 'g' || i, key_id, " +
          'grantee_principal, grantee_id, operations, created_at, tag FROM grants, n',
      )
      database.close()
    })
    const root = service.kms()
    await root.send(create())
    await assert.rejects(root.send(create()), {
      name: 'LimitExceededException',
      message: 'A key has at most 1000 grants for one grantee principal.',
    })
    assert.equal((await root.send(named)).GrantId, GrantId)
    await root.send(create({ GranteePrincipal: rootArn }))
    await root.send(new RevokeGrantCommand({ KeyId, GrantId }))
    await root.send(create())
  })

  test('the audit trail shows what was granted', async (t) => {
    const { service, root, KeyId, create } = await fixture(t)
    const { GrantId } = await root.send(
      create({ Name: 'n', Constraints: { EncryptionContextSubset: { a: '1' } }, RetiringPrincipal: rootArn }),
    )
    const record = service.trail().find(({ eventName }) => eventName === 'CreateGrant')
    assert.deepEqual(record?.['requestParameters'], {
      constraints: { encryptionContextSubset: { a: '1' } },
      granteePrincipal: userArn('bob'),
      keyId: KeyId,
      name: 'n',
      operations: ['Encrypt'],
      retiringPrincipal: rootArn,
    })
    assert.deepEqual(record['responseElements'], { grantId: GrantId })
  })
})
