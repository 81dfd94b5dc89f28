import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  DeleteImportedKeyMaterialCommand,
  DisableKeyCommand,
  EnableKeyRotationCommand,
  GetKeyPolicyCommand,
  GetKeyRotationStatusCommand,
  KMSClient,
  ListKeyRotationsCommand,
  ListResourceTagsCommand,
  ReplicateKeyCommand,
  type ReplicateKeyCommandOutput,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
  UpdatePrimaryRegionCommand,
} from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe as suite, test, type TestContext } from 'node:test'
import { decrypt, describe, encrypt, importMaterial, newKey } from '../../../../test/support/kms-keys.ts'
import { type Credentials, startTestService, type TestService } from '../../../../test/support/kms-service.ts'
import { settableClock, type SettableClock } from '../../../../test/support/key-store.ts'

const day = 24 * 3_600_000
const home = 'us-east-1'
const regions = ['eu-west-1', 'ap-southeast-2']
const [other = '', third = ''] = regions

interface Setting {
  readonly service: TestService
  readonly clock: SettableClock
  readonly here: KMSClient
  readonly there: KMSClient
  readonly yonder: KMSClient
}

async function start(t: TestContext): Promise<Setting> {
  const clock = settableClock()
  const service = await startTestService(t, { clock, regions })
  const at = (region: string): KMSClient => clientIn(service, region)
  return { service, clock, here: at(home), there: at(other), yonder: at(third) }
}

function clientIn(service: TestService, region: string, credentials?: Credentials): KMSClient {
  return new KMSClient({ ...service.clientConfig(credentials), region })
}

function replicate(kms: KMSClient, KeyId: string, ReplicaRegion = other): Promise<ReplicateKeyCommandOutput> {
  return kms.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion }))
}

suite('multi-Region keys', () => {
  test('have an id of their own form, and say which keys belong together', async (t) => {
    const { here, there } = await start(t)
    const { id, arn } = await newKey(here, { MultiRegion: true })
    assert.match(id, /^mrk-[0-9a-f]{32}$/)
    assert.equal(arn, `arn:aws:kms:us-east-1:111122223333:key/${id}`)
    const primary = { Arn: arn, Region: home }
    assert.deepEqual((await describe(here, id)).MultiRegionConfiguration, {
      MultiRegionKeyType: 'PRIMARY',
      PrimaryKey: primary,
      ReplicaKeys: [],
    })
    await assert.rejects(describe(there, id), { name: 'NotFoundException' })
    const replica = { Arn: `arn:aws:kms:eu-west-1:111122223333:key/${id}`, Region: other }
    const { ReplicaKeyMetadata } = await replicate(here, id)
    assert.equal(ReplicaKeyMetadata?.Arn, replica.Arn)
    assert.equal(ReplicaKeyMetadata.KeyState, 'Enabled')
    for (const [kms, MultiRegionKeyType] of [
      [here, 'PRIMARY'],
      [there, 'REPLICA'],
    ] as const) {
      const metadata = await describe(kms, id)
      assert.equal(metadata.MultiRegion, true)
      assert.deepEqual(metadata.MultiRegionConfiguration, {
        MultiRegionKeyType,
        PrimaryKey: primary,
        ReplicaKeys: [replica],
      })
    }
  })

  test('open each other’s blobs; what has its own life in each region is independent', async (t) => {
    const { here, there } = await start(t)
    const { id, arn } = await newKey(here, {
      MultiRegion: true,
      Description: 'first',
      Tags: [{ TagKey: 'a', TagValue: 'b' }],
    })
    const blob = await encrypt(here, id)
    assert.equal(Buffer.from(blob).toString('hex', 0, 19), `535202${id.slice(4)}`)
    const { ReplicaPolicy, ReplicaTags } = await here.send(
      new ReplicateKeyCommand({
        KeyId: id,
        ReplicaRegion: other,
        Description: 'second',
        Tags: [{ TagKey: 'c', TagValue: 'd' }],
      }),
    )
    assert.deepEqual(ReplicaTags, [{ TagKey: 'c', TagValue: 'd' }])
    assert.match(ReplicaPolicy ?? '', /key-default-1/)
    assert.equal((await there.send(new GetKeyPolicyCommand({ KeyId: id }))).Policy, ReplicaPolicy)
    assert.equal(await decrypt(there, blob), 'a secret')
    assert.equal(await decrypt(here, await encrypt(there, id, 'from there')), 'from there')
    assert.deepEqual(
      [(await describe(here, id)).Description, (await describe(there, id)).Description],
      ['first', 'second'],
    )
    assert.deepEqual((await there.send(new ListResourceTagsCommand({ KeyId: id }))).Tags, ReplicaTags)
    await there.send(new CreateAliasCommand({ AliasName: 'alias/a', TargetKeyId: id }))
    await assert.rejects(describe(here, 'alias/a'), { name: 'NotFoundException' })
    await here.send(new DisableKeyCommand({ KeyId: id }))
    await assert.rejects(decrypt(here, blob), { name: 'DisabledException', message: `${arn} is disabled.` })
    assert.equal(await decrypt(there, blob), 'a secret')
  })

  test('a key of one region opens nothing in another one', async (t) => {
    const { here, there } = await start(t)
    const { id, arn } = await newKey(here)
    const blob = await encrypt(here, id)
    await assert.rejects(decrypt(there, blob), {
      name: 'AccessDeniedException',
      message: /does not exist in this region/,
    })
    await assert.rejects(describe(there, id), { name: 'NotFoundException' })
    await assert.rejects(describe(there, arn), {
      name: 'NotFoundException',
      message: 'Invalid arn us-east-1',
    })
    await assert.rejects(replicate(here, id), {
      name: 'UnsupportedOperationException',
      message: `${arn} is not a multi-Region primary key.`,
    })
  })

  test('a replica is made once, of the primary key, in a region that is served', async (t) => {
    const { here, there } = await start(t)
    const { id } = await newKey(here, { MultiRegion: true })
    await replicate(here, id)
    await assert.rejects(replicate(here, id), { name: 'AlreadyExistsException' })
    await assert.rejects(replicate(here, id, home), { name: 'AlreadyExistsException' })
    await assert.rejects(replicate(there, id, third), {
      name: 'UnsupportedOperationException',
      message: /is not a multi-Region primary key/,
    })
    await assert.rejects(replicate(here, id, 'sa-east-1'), {
      name: 'UnsupportedOperationException',
      message: 'The Region sa-east-1 is not served here.',
    })
    await assert.rejects(replicate(here, id, 'nowhere'), { name: 'ValidationException' })
    await here.send(new DisableKeyCommand({ KeyId: id }))
    await assert.rejects(replicate(here, id, third), { name: 'DisabledException' })
  })

  test('who replicates has to be allowed it here, and to create keys there, and to tag them', async (t) => {
    const { service, here } = await start(t)
    const { id } = await newKey(here, { MultiRegion: true })
    const inRegion = (region: string) => ({ Condition: { StringEquals: { 'aws:RequestedRegion': region } } })
    const only = { Action: 'kms:ReplicateKey', Condition: { StringEquals: { 'kms:ReplicaRegion': third } } }
    const cases: [name: string, statements: object[], Tags: boolean, denied: RegExp | undefined][] = [
      ['nothing', [{ Action: 'kms:CreateKey' }], false, /kms:ReplicateKey/],
      ['here', [{ Action: 'kms:ReplicateKey' }], false, /kms:CreateKey/],
      [
        'home',
        [{ Action: 'kms:ReplicateKey' }, { Action: 'kms:CreateKey', ...inRegion(home) }],
        false,
        /kms:CreateKey/,
      ],
      ['elsewhere', [only, { Action: 'kms:CreateKey' }], false, /kms:ReplicateKey/],
      [
        'tags',
        [{ Action: 'kms:ReplicateKey' }, { Action: 'kms:CreateKey', ...inRegion(other) }],
        true,
        /kms:TagResource/,
      ],
      [
        'all',
        [
          { Action: 'kms:ReplicateKey' },
          { Action: ['kms:CreateKey', 'kms:TagResource'], ...inRegion(other) },
        ],
        true,
        undefined,
      ],
    ]
    for (const [name, statements, tagged, denied] of cases) {
      const user = await service.makeUser(name, ...statements.map((one) => ({ ...one })))
      const replicated = clientIn(service, home, user).send(
        new ReplicateKeyCommand({
          KeyId: id,
          ReplicaRegion: other,
          Tags: tagged ? [{ TagKey: 'a', TagValue: 'b' }] : undefined,
        }),
      )
      if (denied === undefined) await replicated
      else await assert.rejects(replicated, { name: 'AccessDeniedException', message: denied }, name)
    }
  })

  test('rotate together, on the primary key alone', async (t) => {
    const { service, clock, here, there, yonder } = await start(t)
    const { id } = await newKey(here, { MultiRegion: true })
    await replicate(here, id)
    await here.send(new EnableKeyRotationCommand({ KeyId: id, RotationPeriodInDays: 90 }))
    await replicate(here, id, third)
    for (const kms of [there, yonder]) {
      assert.equal((await kms.send(new GetKeyRotationStatusCommand({ KeyId: id }))).RotationPeriodInDays, 90)
      const refused = { name: 'UnsupportedOperationException', message: /multi-Region replica key/ }
      await assert.rejects(kms.send(new EnableKeyRotationCommand({ KeyId: id })), refused)
      await assert.rejects(kms.send(new RotateKeyOnDemandCommand({ KeyId: id })), refused)
    }
    const old = await encrypt(there, id, 'old')
    await here.send(new RotateKeyOnDemandCommand({ KeyId: id }))
    clock.pass(91 * day)
    await service.current.runDue()
    const clients = [here, there, yonder]
    const current = await Promise.all(
      clients.map(async (kms) => (await describe(kms, id)).CurrentKeyMaterialId),
    )
    assert.equal(new Set(current).size, 1)
    for (const kms of clients) {
      const { Rotations = [] } = await kms.send(new ListKeyRotationsCommand({ KeyId: id }))
      assert.deepEqual(
        Rotations.map(({ RotationType, KeyMaterialState }) => [RotationType, KeyMaterialState]),
        [
          ['ON_DEMAND', 'NON_CURRENT'],
          ['AUTOMATIC', 'CURRENT'],
        ],
      )
      assert.equal(await decrypt(kms, old), 'old')
      assert.equal(await decrypt(here, await encrypt(kms, id, 'new')), 'new')
    }
    const names = service
      .trail()
      .flatMap(({ eventType, eventName, awsRegion }) =>
        eventType === 'AwsServiceEvent' && eventName !== 'RefusedRequests' ? [[eventName, awsRegion]] : [],
      )
    assert.deepEqual(names, [
      ['SynchronizeMultiRegionKey', third],
      ['SynchronizeMultiRegionKey', other],
      ['RotateKey', home],
    ])
  })

  test('another one becomes the primary key', async (t) => {
    const { service, here, there, yonder } = await start(t)
    const { id, arn } = await newKey(here, { MultiRegion: true })
    const update = (kms: KMSClient, PrimaryRegion: string): Promise<unknown> =>
      kms.send(new UpdatePrimaryRegionCommand({ KeyId: id, PrimaryRegion }))
    await assert.rejects(update(here, other), { name: 'NotFoundException' })
    await replicate(here, id)
    await replicate(here, id, third)
    await assert.rejects(update(there, third), {
      name: 'UnsupportedOperationException',
      message: /is not a multi-Region primary key/,
    })
    await assert.rejects(update(here, 'sa-east-1'), { name: 'UnsupportedOperationException' })
    const user = await service.makeUser('mover', {
      Action: 'kms:UpdatePrimaryRegion',
      Resource: arn,
    })
    await assert.rejects(update(clientIn(service, home, user), other), {
      name: 'AccessDeniedException',
      message: new RegExp(`on resource: arn:aws:kms:eu-west-1:111122223333:key/${id}`),
    })
    await update(here, other)
    for (const [kms, type] of [
      [here, 'REPLICA'],
      [there, 'PRIMARY'],
      [yonder, 'REPLICA'],
    ] as const) {
      const configuration = (await describe(kms, id)).MultiRegionConfiguration
      assert.equal(configuration?.MultiRegionKeyType, type)
      assert.equal(configuration.PrimaryKey?.Region, other)
      assert.deepEqual(
        configuration.ReplicaKeys?.map(({ Region }) => Region),
        [third, home],
      )
    }
    await there.send(new RotateKeyOnDemandCommand({ KeyId: id }))
    await assert.rejects(here.send(new RotateKeyOnDemandCommand({ KeyId: id })), {
      name: 'UnsupportedOperationException',
    })
    assert.equal(await decrypt(here, await encrypt(there, id)), 'a secret')
  })

  test('a primary key is deleted after its replicas, its window begins when the last is gone', async (t) => {
    // The primary key's region is the first by name, which is no reason to take it for the last one left.
    const { service, clock, there, ...clients } = await start(t)
    const [here, yonder] = [clients.yonder, clients.here]
    const { id } = await newKey(here, { MultiRegion: true })
    await replicate(here, id)
    await replicate(here, id, home)
    const schedule = (kms: KMSClient) =>
      kms.send(new ScheduleKeyDeletionCommand({ KeyId: id, PendingWindowInDays: 7 }))
    const waiting = await schedule(here)
    assert.deepEqual(
      [waiting.KeyState, waiting.DeletionDate, waiting.PendingWindowInDays],
      ['PendingReplicaDeletion', undefined, 7],
    )
    const metadata = await describe(here, id)
    assert.deepEqual(
      [metadata.KeyState, metadata.DeletionDate, metadata.PendingDeletionWindowInDays],
      ['PendingReplicaDeletion', undefined, 7],
    )
    await assert.rejects(encrypt(here, id), {
      name: 'KMSInvalidStateException',
      message: /is pending replica deletion\.$/,
    })
    await here.send(new CancelKeyDeletionCommand({ KeyId: id }))
    assert.equal((await describe(here, id)).KeyState, 'Disabled')
    await schedule(here)
    clock.pass(40 * day)
    await service.current.runDue()
    assert.equal((await describe(here, id)).KeyState, 'PendingReplicaDeletion')

    await schedule(there)
    clock.pass(8 * day)
    await service.current.runDue()
    await assert.rejects(describe(there, id), { name: 'NotFoundException' })
    assert.equal((await describe(here, id)).KeyState, 'PendingReplicaDeletion')
    await schedule(yonder)
    clock.pass(8 * day)
    await service.current.runDue()
    const last = await describe(here, id)
    assert.equal(last.KeyState, 'PendingDeletion')
    assert.equal(last.DeletionDate?.getTime(), clock.now().getTime() + 7 * day)
    clock.pass(7 * day)
    await service.current.runDue()
    await assert.rejects(describe(here, id), { name: 'NotFoundException' })
  })

  test('imported key material is imported into each region, the primary key’s first', async (t) => {
    const { here, there, yonder } = await start(t)
    const { id } = await newKey(here, { MultiRegion: true, Origin: 'EXTERNAL' })
    const [first, second] = [randomBytes(32), randomBytes(32)]
    await assert.rejects(replicate(here, id), {
      name: 'KMSInvalidStateException',
      message: /is pending import\.$/,
    })
    const firstId = await importMaterial(here, id, first)
    await replicate(here, id)
    await replicate(here, id, third)
    const blob = await encrypt(here, id)
    for (const kms of [there, yonder]) {
      assert.equal((await describe(kms, id)).KeyState, 'PendingImport')
      assert.equal((await describe(kms, id)).CurrentKeyMaterialId, firstId)
      await assert.rejects(importMaterial(kms, id, randomBytes(32)), {
        name: 'IncorrectKeyMaterialException',
      })
      assert.equal(await importMaterial(kms, id, first), firstId)
      assert.equal(await decrypt(kms, blob), 'a secret')
    }
    const isNew = {
      ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
      ImportType: 'NEW_KEY_MATERIAL',
    } as const
    await assert.rejects(importMaterial(there, id, second, isNew), {
      name: 'UnsupportedOperationException',
      message: /into the primary key first/,
    })
    const secondId = await importMaterial(here, id, second, isNew)
    const stateOfSecond = async (kms: KMSClient): Promise<string | undefined> => {
      const input = { KeyId: id, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' } as const
      const { Rotations = [] } = await kms.send(new ListKeyRotationsCommand(input))
      return Rotations.find(({ KeyMaterialId }) => KeyMaterialId === secondId)?.KeyMaterialState
    }
    await importMaterial(there, id, second)
    assert.equal(await stateOfSecond(here), 'PENDING_MULTI_REGION_IMPORT_AND_ROTATION')
    await assert.rejects(here.send(new RotateKeyOnDemandCommand({ KeyId: id })), {
      name: 'KMSInvalidStateException',
      message: /into the replica keys first, in ap-southeast-2\.$/,
    })
    await importMaterial(yonder, id, second)
    assert.equal(await stateOfSecond(here), 'PENDING_ROTATION')
    await here.send(new RotateKeyOnDemandCommand({ KeyId: id }))
    for (const kms of [here, there, yonder]) {
      assert.equal((await describe(kms, id)).CurrentKeyMaterialId, secondId)
      assert.equal(await decrypt(kms, blob), 'a secret')
      assert.equal(await decrypt(here, await encrypt(kms, id)), 'a secret')
    }
    // What is deleted in one region is there in the others.
    await there.send(new DeleteImportedKeyMaterialCommand({ KeyId: id, KeyMaterialId: firstId }))
    await assert.rejects(decrypt(there, blob), { name: 'KMSInvalidStateException' })
    assert.equal(await decrypt(yonder, blob), 'a secret')
    const pending = await importMaterial(here, id, randomBytes(32), isNew)
    await here.send(new DeleteImportedKeyMaterialCommand({ KeyId: id, KeyMaterialId: pending }))
    for (const kms of [here, there, yonder]) {
      const input = { KeyId: id, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' } as const
      assert.equal((await kms.send(new ListKeyRotationsCommand(input))).Rotations?.length, 2)
    }
  })
})
