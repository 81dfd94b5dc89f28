import { AssumeRoleCommand } from '@aws-sdk/client-sts'
import {
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteUserCommand,
  UpdateUserCommand,
} from '@aws-sdk/client-iam'
import {
  CreateGrantCommand,
  type CreateGrantCommandInput,
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  type GrantConstraints,
  KMSClient,
  ListGrantsCommand,
  PutKeyPolicyCommand,
  ReEncryptCommand,
  ReplicateKeyCommand,
  RevokeGrantCommand,
} from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { startTestService, type TestService } from '../../../../test/support/kms-service.ts'

const userArn = (name: string): string => `arn:aws:iam::111122223333:user/${name}`
const rootArn = 'arn:aws:iam::111122223333:root'
const denied = { name: 'AccessDeniedException' }
const Plaintext = Buffer.from('a data key')

interface Fixture {
  readonly service: TestService
  readonly root: KMSClient
  /** A user whom no policy allows anything. */
  readonly bob: KMSClient
  readonly KeyId: string
  readonly grant: (input?: Partial<CreateGrantCommandInput>) => Promise<{ id: string; token: string }>
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
      const { GrantId: id, GrantToken: token } = await root.send(
        new CreateGrantCommand({
          KeyId,
          GranteePrincipal: userArn('bob'),
          Operations: ['Encrypt'],
          ...input,
        }),
      )
      return { id: id ?? assert.fail('no grant id'), token: token ?? assert.fail('no grant token') }
    },
  }
}

type Context = Record<string, string>

function encrypt(client: KMSClient, KeyId: string, EncryptionContext?: Context): Promise<Uint8Array> {
  return client
    .send(new EncryptCommand({ KeyId, Plaintext, EncryptionContext }))
    .then(({ CiphertextBlob }) => CiphertextBlob ?? assert.fail('no blob'))
}

describe('what grants allow', () => {
  test('exactly the operations that they name, from the answer to CreateGrant to that to RevokeGrant', async (t) => {
    const { root, bob, KeyId, grant } = await fixture(t)
    const CiphertextBlob = await encrypt(root, KeyId)
    const calls: Record<string, () => Promise<unknown>> = {
      Encrypt: () => encrypt(bob, KeyId),
      Decrypt: () => bob.send(new DecryptCommand({ CiphertextBlob })),
      DescribeKey: () => bob.send(new DescribeKeyCommand({ KeyId })),
      GenerateDataKey: () => bob.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' })),
      GenerateDataKeyWithoutPlaintext: () =>
        bob.send(new GenerateDataKeyWithoutPlaintextCommand({ KeyId, KeySpec: 'AES_256' })),
    }
    const Operations = [
      'Encrypt',
      'Decrypt',
      'DescribeKey',
      'GenerateDataKey',
      'GenerateDataKeyWithoutPlaintext',
    ] as const
    for (const operation of Operations) {
      const { id } = await grant({ Operations: [operation] })
      for (const [name, call] of Object.entries(calls)) {
        if (name === operation) await call()
        else await assert.rejects(call(), denied, `${name} by a grant of ${operation}`)
      }
      await root.send(new RevokeGrantCommand({ KeyId, GrantId: id }))
      await assert.rejects(calls[operation]?.() ?? Promise.resolve(), denied, operation)
    }
  })

  test('ReEncrypt takes one of each side, which may be two grants', async (t) => {
    const { root, bob, KeyId, grant } = await fixture(t)
    const call = new ReEncryptCommand({ CiphertextBlob: await encrypt(root, KeyId), DestinationKeyId: KeyId })
    await grant({ Operations: ['ReEncryptFrom'] })
    await assert.rejects(bob.send(call), { ...denied, message: /kms:ReEncryptTo/ })
    await grant({ Operations: ['ReEncryptTo'] })
    await bob.send(call)
  })

  test('another user, another key and another region get nothing', async (t) => {
    const service = await startTestService(t, { regions: ['us-east-1', 'eu-west-1'] })
    const root = service.kms()
    const bob = service.kms(await service.makeUser('bob'))
    const eve = service.kms(await service.makeUser('eve'))
    const { KeyMetadata } = await root.send(new CreateKeyCommand({ MultiRegion: true }))
    const other = await root.send(new CreateKeyCommand({}))
    const KeyId = KeyMetadata?.KeyId ?? ''
    await root.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: 'eu-west-1' }))
    const grant = { KeyId, GranteePrincipal: userArn('bob'), Operations: ['Encrypt' as const] }
    await root.send(new CreateGrantCommand(grant))
    await encrypt(bob, KeyId)
    await assert.rejects(encrypt(eve, KeyId), denied)
    await assert.rejects(encrypt(bob, other.KeyMetadata?.KeyId ?? ''), denied)
    const inOtherRegion = async (client: KMSClient): Promise<KMSClient> =>
      new KMSClient({ ...service.clientConfig(await client.config.credentials()), region: 'eu-west-1' })
    const [rootThere, bobThere] = [await inOtherRegion(root), await inOtherRegion(bob)]
    await assert.rejects(encrypt(bobThere, KeyId), denied)
    assert.deepEqual((await rootThere.send(new ListGrantsCommand({ KeyId }))).Grants, [])
    await rootThere.send(new CreateGrantCommand(grant))
    await encrypt(bobThere, KeyId)
  })

  const constrained: [constraints: GrantConstraints, context: Context | undefined, allowed: boolean][] = [
    [{ EncryptionContextEquals: { a: '1' } }, { a: '1' }, true],
    [{ EncryptionContextEquals: { a: '1' } }, { a: '1', b: '2' }, false],
    [{ EncryptionContextEquals: { a: '1', b: '2' } }, { b: '2', a: '1' }, true],
    [{ EncryptionContextEquals: { a: '1', b: '2' } }, { a: '1' }, false],
    [{ EncryptionContextEquals: { a: '1' } }, undefined, false],
    [{ EncryptionContextEquals: {} }, undefined, true],
    [{ EncryptionContextEquals: {} }, { a: '1' }, false],
    [{ EncryptionContextSubset: { a: '1' } }, { a: '1' }, true],
    [{ EncryptionContextSubset: { a: '1' } }, { a: '1', b: '2' }, true],
    [{ EncryptionContextSubset: { a: '1' } }, { a: '2', b: '1' }, false],
    [{ EncryptionContextSubset: { a: 'x' } }, { a: 'X' }, false],
    [{ EncryptionContextSubset: { a: '1' } }, undefined, false],
    [{ EncryptionContextSubset: {} }, { a: '1' }, true],
    [{ EncryptionContextSubset: { ['__proto__']: '1' } }, { ['__proto__']: '1' }, true],
    [{ EncryptionContextSubset: { ['__proto__']: '1' } }, { a: '1' }, false],
  ]
  test('only with the encryption context that they ask for, also after a restart', async (t) => {
    const { service, root, bob, KeyId, grant } = await fixture(t)
    for (const [Constraints, context, allowed] of constrained) {
      const blob = await encrypt(root, KeyId, context)
      const { id } = await grant({ Operations: ['Encrypt', 'Decrypt', 'DescribeKey'], Constraints })
      const calls = [
        () => encrypt(bob, KeyId, context),
        () => bob.send(new DecryptCommand({ CiphertextBlob: blob, EncryptionContext: context })),
      ]
      for (const call of calls) {
        const title = `${JSON.stringify(Constraints)} for ${JSON.stringify(context)}`
        if (allowed) await call()
        else await assert.rejects(call(), denied, title)
      }
      // It has no encryption context.
      await bob.send(new DescribeKeyCommand({ KeyId }))
      await root.send(new RevokeGrantCommand({ KeyId, GrantId: id }))
    }
    await grant({ Constraints: { EncryptionContextSubset: { ['__proto__']: '1', b: '2' } } })
    await service.reopen()
    const again = service.kms(await service.makeUser('carl'))
    await assert.rejects(encrypt(again, KeyId, { b: '2' }), denied)
    const { Grants } = await service.kms().send(new ListGrantsCommand({ KeyId }))
    assert.equal(
      JSON.stringify(Grants?.[0]?.Constraints),
      '{"EncryptionContextSubset":{"__proto__":"1","b":"2"}}',
    )
  })

  test('whoever has the same name later is somebody else; whoever is renamed stays the same', async (t) => {
    const { service, root, bob, KeyId, grant } = await fixture(t)
    const iam = service.iam()
    const { id } = await grant()
    await encrypt(bob, KeyId)
    await iam.send(new UpdateUserCommand({ UserName: 'bob', NewUserName: 'robert' }))
    await encrypt(bob, KeyId)
    const listed = async (): Promise<string | undefined> =>
      (await root.send(new ListGrantsCommand({ KeyId }))).Grants?.[0]?.GranteePrincipal
    assert.equal(await listed(), userArn('robert'))
    const impostor = service.kms(await service.makeUser('bob'))
    await assert.rejects(encrypt(impostor, KeyId), denied)
    const { accessKeyId } = await bob.config.credentials()
    await iam.send(new DeleteAccessKeyCommand({ UserName: 'robert', AccessKeyId: accessKeyId }))
    await iam.send(new DeleteUserCommand({ UserName: 'robert' }))
    const impostor2 = service.kms(await service.makeUser('robert'))
    await assert.rejects(encrypt(impostor2, KeyId), denied)
    const left = (await listed()) ?? ''
    assert.match(left, /^AIDA[A-Z2-7]{16}$/)
    const search = async (GranteePrincipal: string): Promise<number | undefined> =>
      (await root.send(new ListGrantsCommand({ KeyId, GranteePrincipal }))).Grants?.length
    assert.deepEqual(
      [await search(left), await search(userArn('bob')), await search(userArn('robert'))],
      [1, 0, 0],
    )
    await root.send(new RevokeGrantCommand({ KeyId, GrantId: id }))
  })

  test('a grantee may be a role, one of its sessions, or the account', async (t) => {
    const { service, root, KeyId, grant } = await fixture(t)
    const roleArn = await service.makeRole('app', [{ Principal: { AWS: rootArn } }])
    const carl = await service.makeUser('carl', { Action: ['sts:AssumeRole', 'kms:Encrypt'] })
    const session = async (RoleSessionName: string): Promise<KMSClient> => {
      const { Credentials } = await service
        .sts(carl)
        .send(new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName }))
      return service.kms({
        accessKeyId: Credentials?.AccessKeyId ?? '',
        secretAccessKey: Credentials?.SecretAccessKey ?? '',
        sessionToken: Credentials?.SessionToken ?? '',
      })
    }
    const [one, two] = [await session('one'), await session('two')]
    const ofRole = await grant({ GranteePrincipal: roleArn })
    await encrypt(one, KeyId)
    await encrypt(two, KeyId)
    await root.send(new RevokeGrantCommand({ KeyId, GrantId: ofRole.id }))
    const ofSession = await grant({ GranteePrincipal: 'arn:aws:sts::111122223333:assumed-role/app/one' })
    await encrypt(one, KeyId)
    await assert.rejects(encrypt(two, KeyId), denied)
    await root.send(new RevokeGrantCommand({ KeyId, GrantId: ofSession.id }))
    await assert.rejects(encrypt(one, KeyId), denied)
    // What the account is granted it hands on by its identity policies, as if a key policy left it to the account.
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { AWS: rootArn },
          Action: ['kms:*Policy', 'kms:*Grant'],
          Resource: '*',
        },
      ],
    })
    await root.send(new PutKeyPolicyCommand({ KeyId, Policy }))
    await assert.rejects(encrypt(service.kms(carl), KeyId), denied)
    await assert.rejects(encrypt(root, KeyId), denied)
    await grant({ GranteePrincipal: rootArn })
    await encrypt(root, KeyId)
    await encrypt(service.kms(carl), KeyId)
    await assert.rejects(encrypt(one, KeyId), denied)
  })

  test('a Deny is stronger, and the state of the key counts', async (t) => {
    const { service, root, bob, KeyId, grant } = await fixture(t)
    await grant()
    const eve = service.kms(await service.makeUser('eve', { Effect: 'Deny', Action: 'kms:Encrypt' }))
    await grant({ GranteePrincipal: userArn('eve') })
    await encrypt(bob, KeyId)
    await assert.rejects(encrypt(eve, KeyId), { ...denied, message: /with an explicit deny/ })
    await root.send(new DisableKeyCommand({ KeyId }))
    await assert.rejects(encrypt(bob, KeyId), { name: 'DisabledException' })
    await assert.rejects(grant(), { name: 'DisabledException' })
    await root.send(new EnableKeyCommand({ KeyId }))
    await encrypt(bob, KeyId)
  })

  test('grants outlive a restart, and one that was altered allows nothing', async (t) => {
    const { service, KeyId, grant } = await fixture(t)
    await grant()
    const eve = await service.makeUser('eve')
    const bob = await service.makeUser('bobby')
    await grant({ GranteePrincipal: userArn('bobby') })
    await service.reopen()
    await encrypt(service.kms(bob), KeyId)
    await assert.rejects(encrypt(service.kms(eve), KeyId), denied)
    await service.reopen(() => {
      const database = new DatabaseSync(join(service.directory, 'kms.db'))
      database.exec("UPDATE grants SET grantee_id = (SELECT user_id FROM users WHERE user_name = 'eve')")
      database.close()
    })
    await assert.rejects(encrypt(service.kms(eve), KeyId), denied)
    await assert.rejects(encrypt(service.kms(bob), KeyId), denied)
  })
})

describe('grants that are made by a grant', () => {
  type Wanted = Pick<CreateGrantCommandInput, 'Operations' | 'Constraints'>
  const subset = { EncryptionContextSubset: { a: '1' } }
  const equal = { EncryptionContextEquals: { a: '1' } }
  const table: [parent: Wanted, child: Wanted, allowed: boolean][] = [
    [{ Operations: ['CreateGrant', 'Decrypt'] }, { Operations: ['Decrypt'] }, true],
    [{ Operations: ['CreateGrant', 'Decrypt'] }, { Operations: ['CreateGrant', 'Decrypt'] }, true],
    [{ Operations: ['CreateGrant', 'Decrypt'] }, { Operations: ['Encrypt'] }, false],
    [{ Operations: ['CreateGrant', 'Decrypt'] }, { Operations: ['Decrypt', 'Encrypt'] }, false],
    [{ Operations: ['Decrypt'] }, { Operations: ['Decrypt'] }, false],
    ...(
      [
        [undefined, undefined, true],
        [undefined, subset, true],
        [subset, undefined, false],
        [subset, subset, true],
        [subset, { EncryptionContextSubset: { a: '1', b: '2' } }, true],
        [subset, { EncryptionContextSubset: { b: '2' } }, false],
        [subset, { EncryptionContextSubset: { a: '2' } }, false],
        [subset, equal, true],
        [subset, { EncryptionContextEquals: { a: '1', b: '2' } }, true],
        [subset, { EncryptionContextEquals: { b: '2' } }, false],
        [equal, equal, true],
        [equal, subset, false],
        [equal, { EncryptionContextEquals: { a: '1', b: '2' } }, false],
        [equal, { EncryptionContextEquals: {} }, false],
        [equal, undefined, false],
        [{ EncryptionContextEquals: {} }, undefined, false],
        [{ EncryptionContextEquals: {} }, { EncryptionContextEquals: {} }, true],
      ] satisfies [GrantConstraints | undefined, GrantConstraints | undefined, boolean][]
    ).map(([parent, child, allowed]): [Wanted, Wanted, boolean] => [
      { Operations: ['CreateGrant', 'Decrypt'], Constraints: parent },
      { Operations: ['Decrypt'], Constraints: child },
      allowed,
    ]),
  ]
  test('give no more, and ask for no less, than that one', async (t) => {
    const { service, root, bob, KeyId, grant } = await fixture(t)
    await service.iam().send(new CreateUserCommand({ UserName: 'carl' }))
    for (const [parent, child, allowed] of table) {
      const { id } = await grant(parent)
      const call = new CreateGrantCommand({ KeyId, GranteePrincipal: userArn('carl'), ...child })
      const title = `${JSON.stringify(parent)} to ${JSON.stringify(child)}`
      if (allowed) await bob.send(call)
      else await assert.rejects(bob.send(call), denied, title)
      await root.send(new RevokeGrantCommand({ KeyId, GrantId: id }))
      await assert.rejects(bob.send(call), denied)
    }
  })

  test('stay when it ends', async (t) => {
    const { service, root, bob, KeyId, grant } = await fixture(t)
    const carl = service.kms(await service.makeUser('carl'))
    const { id } = await grant({ Operations: ['CreateGrant', 'Encrypt'] })
    const child = { KeyId, GranteePrincipal: userArn('carl'), Operations: ['Encrypt' as const] }
    await bob.send(new CreateGrantCommand(child))
    await root.send(new RevokeGrantCommand({ KeyId, GrantId: id }))
    await encrypt(carl, KeyId)
    await assert.rejects(encrypt(bob, KeyId), denied)
  })
})
