import {
  DeleteImportedKeyMaterialCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  GetParametersForImportCommand,
  type GetParametersForImportCommandInput,
  ImportKeyMaterialCommand,
  type ImportKeyMaterialCommandInput,
  type KMSClient,
  ListKeyRotationsCommand,
  RotateKeyOnDemandCommand,
  type RotationsListEntry,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { createCipheriv, createPublicKey, randomBytes } from 'node:crypto'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { describe as suite, test } from 'node:test'
import {
  decrypt,
  describe,
  encrypt,
  importMaterial,
  newKey,
  wrapMaterial,
} from '../../../../test/support/kms-keys.ts'
import { startTestService } from '../../../../test/support/kms-service.ts'
import { settableClock } from '../../../../test/support/key-store.ts'

const day = 24 * 3_600_000
const noExpiry = { ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' } as const
const unknownAlgorithm: Pick<GetParametersForImportCommandInput, 'WrappingAlgorithm' | 'WrappingKeySpec'>[] =
  [
    { WrappingAlgorithm: 'RSAES_PKCS1_V1_5', WrappingKeySpec: 'RSA_2048' },
    { WrappingAlgorithm: 'SM2PKE', WrappingKeySpec: 'SM2' },
    { WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'SM2' },
  ]

interface Parameters {
  readonly token: Uint8Array
  readonly publicKey: Buffer
  readonly validTo: Date
}

async function parametersFor(
  kms: KMSClient,
  KeyId: string,
  options: Partial<GetParametersForImportCommandInput> = {},
): Promise<Parameters> {
  const { ImportToken, PublicKey, ParametersValidTo } = await kms.send(
    new GetParametersForImportCommand({
      ...{ KeyId, WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' },
      ...options,
    }),
  )
  assert.ok(ImportToken !== undefined && PublicKey !== undefined && ParametersValidTo !== undefined)
  return { token: ImportToken, publicKey: Buffer.from(PublicKey), validTo: ParametersValidTo }
}

/** As RSA_AES_KEY_WRAP: an AES key under the RSA key, then the material under the AES key. */
function rsaAes(publicKey: Buffer, bytes: Uint8Array, hash: 'sha1' | 'sha256'): Buffer {
  const aesKey = randomBytes(32)
  const cipher = createCipheriv('id-aes256-wrap-pad', aesKey, Buffer.from('a65959a6', 'hex'))
  return Buffer.concat([wrapMaterial(publicKey, aesKey, hash), cipher.update(bytes), cipher.final()])
}

async function materialsOf(kms: KMSClient, KeyId: string): Promise<RotationsListEntry[]> {
  const input = { KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' } as const
  return (await kms.send(new ListKeyRotationsCommand(input))).Rotations ?? []
}

suite('imported key material', () => {
  test('a key for it is PendingImport until it is imported, and has an id for its material then', async (t) => {
    const kms = (await startTestService(t)).kms()
    const { id, arn } = await newKey(kms, { Origin: 'EXTERNAL' })
    const before = await describe(kms, id)
    assert.deepEqual(
      [before.KeyState, before.Enabled, before.Origin, before.CurrentKeyMaterialId, before.ExpirationModel],
      ['PendingImport', false, 'EXTERNAL', undefined, undefined],
    )
    await assert.rejects(encrypt(kms, id), {
      name: 'KMSInvalidStateException',
      message: `${arn} is pending import.`,
    })
    const materialId = await importMaterial(kms, id, randomBytes(32))
    assert.match(materialId, /^[0-9a-f]{64}$/)
    const after = await describe(kms, id)
    assert.deepEqual(
      [after.KeyState, after.CurrentKeyMaterialId, after.ExpirationModel, after.ValidTo],
      ['Enabled', materialId, 'KEY_MATERIAL_DOES_NOT_EXPIRE', undefined],
    )
    assert.equal(await decrypt(kms, await encrypt(kms, id)), 'a secret')
  })

  test('is unwrapped with each of the algorithms and key specs', async (t) => {
    const kms = (await startTestService(t)).kms()
    const material = randomBytes(32)
    let imports = 0
    for (const [spec, bits] of [
      ['RSA_2048', 2048],
      ['RSA_3072', 3072],
      ['RSA_4096', 4096],
    ] as const) {
      for (const [algorithm, wrap] of [
        ['RSAES_OAEP_SHA_1', (key: Buffer) => wrapMaterial(key, material, 'sha1')],
        ['RSAES_OAEP_SHA_256', (key: Buffer) => wrapMaterial(key, material, 'sha256')],
        ['RSA_AES_KEY_WRAP_SHA_1', (key: Buffer) => rsaAes(key, material, 'sha1')],
        ['RSA_AES_KEY_WRAP_SHA_256', (key: Buffer) => rsaAes(key, material, 'sha256')],
      ] as const) {
        const { id } = await newKey(kms, { Origin: 'EXTERNAL' })
        const { token, publicKey, validTo } = await parametersFor(kms, id, {
          WrappingAlgorithm: algorithm,
          WrappingKeySpec: spec,
        })
        const details = createPublicKey({ key: publicKey, format: 'der', type: 'spki' }).asymmetricKeyDetails
        assert.equal(details?.modulusLength, bits)
        assert.ok(Math.abs(validTo.getTime() - Date.now() - day) < 60_000)
        const input = { KeyId: id, ImportToken: token, ...noExpiry }
        const damaged = wrap(publicKey)
        damaged.writeUInt8(damaged.readUInt8(damaged.length - 1) ^ 1, damaged.length - 1)
        await assert.rejects(
          kms.send(new ImportKeyMaterialCommand({ ...input, EncryptedKeyMaterial: damaged })),
          { name: 'InvalidCiphertextException' },
          `${spec} ${algorithm}`,
        )
        const wrapped = wrap(publicKey)
        await kms.send(new ImportKeyMaterialCommand({ ...input, EncryptedKeyMaterial: wrapped }))
        assert.equal(await decrypt(kms, await encrypt(kms, id)), 'a secret')
        imports++
      }
    }
    assert.equal(imports, 12)
  })

  test('other wrapping algorithms are refused, and so are keys that have material of their own', async (t) => {
    const kms = (await startTestService(t)).kms()
    const external = await newKey(kms, { Origin: 'EXTERNAL' })
    for (const wrapping of unknownAlgorithm) {
      await assert.rejects(parametersFor(kms, external.id, wrapping), {
        name: 'UnsupportedOperationException',
        message: /is not supported\.$/,
      })
    }
    const own = await newKey(kms)
    const expected = {
      name: 'UnsupportedOperationException',
      message: `${own.arn} origin is AWS_KMS which is not valid for this operation.`,
    }
    await assert.rejects(parametersFor(kms, own.id), expected)
    const { token, publicKey } = await parametersFor(kms, external.id)
    const EncryptedKeyMaterial = wrapMaterial(publicKey, randomBytes(32))
    await assert.rejects(
      kms.send(
        new ImportKeyMaterialCommand({
          KeyId: own.id,
          ImportToken: token,
          EncryptedKeyMaterial,
          ...noExpiry,
        }),
      ),
      expected,
    )
    await assert.rejects(kms.send(new DeleteImportedKeyMaterialCommand({ KeyId: own.id })), expected)
  })

  test('a token is good for its own key and its own wrapping key, for 24 hours', async (t) => {
    const service = await startTestService(t)
    const kms = service.kms()
    const [key, other] = [
      await newKey(kms, { Origin: 'EXTERNAL' }),
      await newKey(kms, { Origin: 'EXTERNAL' }),
    ]
    const [mine, second] = [await parametersFor(kms, key.id), await parametersFor(kms, key.id)]
    const material = randomBytes(32)
    const send = (input: Partial<ImportKeyMaterialCommandInput>): Promise<unknown> =>
      kms.send(
        new ImportKeyMaterialCommand({
          ...{ KeyId: key.id, ImportToken: mine.token, ...noExpiry },
          ...{ EncryptedKeyMaterial: wrapMaterial(mine.publicKey, material) },
          ...input,
        }),
      )
    const invalid = { name: 'InvalidImportTokenException' }
    await assert.rejects(send({ KeyId: other.id }), invalid)
    await assert.rejects(send({ ImportToken: Buffer.from('not a token') }), invalid)
    for (let at = 0; at < mine.token.length; at++) {
      const forged = Buffer.from(mine.token)
      forged.writeUInt8(forged.readUInt8(at) ^ 0x10, at)
      await assert.rejects(send({ ImportToken: forged }), invalid, `byte ${at}`)
    }
    await assert.rejects(send({ ImportToken: second.token }), { name: 'InvalidCiphertextException' })
    const start = Date.now()
    t.mock.timers.enable({ apis: ['Date'], now: start + day + 60_000 })
    await assert.rejects(send({}), { name: 'ExpiredImportTokenException' })
    await service.current.runDue()
    await assert.rejects(send({}), { name: 'ExpiredImportTokenException' })
    t.mock.timers.reset()
    // Its wrapping key is gone now.
    await assert.rejects(send({}), invalid)
    const fresh = await parametersFor(kms, key.id)
    await send({ ImportToken: fresh.token, EncryptedKeyMaterial: wrapMaterial(fresh.publicKey, material) })
    await service.reopen()
    const afterStart = await parametersFor(service.kms(), other.id)
    await service.reopen()
    await service.kms().send(
      new ImportKeyMaterialCommand({
        KeyId: other.id,
        ImportToken: afterStart.token,
        EncryptedKeyMaterial: wrapMaterial(afterStart.publicKey, material),
        ...noExpiry,
      }),
    )
  })

  test('has 32 bytes, and is the same when it comes again', async (t) => {
    const kms = (await startTestService(t)).kms()
    const { id } = await newKey(kms, { Origin: 'EXTERNAL' })
    const incorrect = { name: 'IncorrectKeyMaterialException' }
    for (const length of [1, 16, 31, 33, 64]) {
      await assert.rejects(importMaterial(kms, id, randomBytes(length)), incorrect, String(length))
    }
    const material = randomBytes(32)
    const materialId = await importMaterial(kms, id, material, {
      ...noExpiry,
      KeyMaterialDescription: 'from the safe',
    })
    await assert.rejects(importMaterial(kms, id, randomBytes(32)), incorrect)
    assert.equal(await importMaterial(kms, id, material), materialId)
    assert.equal(
      await importMaterial(kms, id, material, { ...noExpiry, KeyMaterialId: materialId }),
      materialId,
    )
    assert.equal((await materialsOf(kms, id))[0]?.KeyMaterialDescription, 'from the safe')
    await assert.rejects(
      importMaterial(kms, id, material, { ...noExpiry, KeyMaterialId: '0'.repeat(64) }),
      incorrect,
    )
    await assert.rejects(
      importMaterial(kms, id, material, { ...noExpiry, ImportType: 'NEW_KEY_MATERIAL' }),
      incorrect,
    )
    await assert.rejects(
      importMaterial(kms, id, material, {
        ...noExpiry,
        ImportType: 'NEW_KEY_MATERIAL',
        KeyMaterialId: materialId,
      }),
      { name: 'ValidationException' },
    )
    const other = await newKey(kms, { Origin: 'EXTERNAL' })
    assert.notEqual(await importMaterial(kms, other.id, material), materialId)
  })

  test('its expiry has to be a date in the next 365 days, or none', async (t) => {
    const kms = (await startTestService(t)).kms()
    const { id } = await newKey(kms, { Origin: 'EXTERNAL' })
    const at = (days: number): Date => new Date(Date.now() + days * day)
    const table: [Partial<ImportKeyMaterialCommandInput>, RegExp][] = [
      [{}, /A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES/],
      [{ ExpirationModel: 'KEY_MATERIAL_EXPIRES' }, /A validTo date must be set/],
      [{ ...noExpiry, ValidTo: at(1) }, /cannot be set/],
      [{ ValidTo: at(-1) }, /must be in the future/],
      [{ ValidTo: at(366) }, /at most 365 days/],
    ]
    for (const [options, message] of table) {
      await assert.rejects(importMaterial(kms, id, randomBytes(32), options), {
        name: 'ValidationException',
        message,
      })
    }
    const ValidTo = new Date(Math.floor(at(364).getTime() / 1000) * 1000)
    await importMaterial(kms, id, randomBytes(32), { ValidTo })
    const metadata = await describe(kms, id)
    assert.deepEqual([metadata.ExpirationModel, metadata.ValidTo], ['KEY_MATERIAL_EXPIRES', ValidTo])
  })

  test('stops working the moment that it expires, is deleted, and works again when it comes again', async (t) => {
    const clock = settableClock()
    const service = await startTestService(t, { clock })
    const kms = service.kms()
    const { id, arn } = await newKey(kms, { Origin: 'EXTERNAL' })
    const material = randomBytes(32)
    const ValidTo = new Date(Date.now() + day)
    const materialId = await importMaterial(kms, id, material, { ValidTo })
    const blob = await encrypt(kms, id)
    const expired = { name: 'KMSInvalidStateException', message: `${arn} is pending import.` }
    const sleep = ValidTo.getTime() - clock.now().getTime()
    clock.pass(sleep - 1000)
    assert.equal(await decrypt(kms, blob), 'a secret')
    clock.pass(2000)
    await assert.rejects(decrypt(kms, blob), expired)
    assert.equal((await describe(kms, id)).KeyState, 'PendingImport')
    await service.current.runDue()
    await assert.rejects(decrypt(kms, blob), expired)
    const { ImportState, KeyMaterialState } = (await materialsOf(kms, id))[0] ?? assert.fail()
    assert.deepEqual([ImportState, KeyMaterialState], ['PENDING_IMPORT', 'CURRENT'])
    const record = service.trail().find(({ eventName }) => eventName === 'DeleteExpiredKeyMaterial')
    assert.match(JSON.stringify(record), new RegExp(materialId))
    // Its bytes are gone: a clock that is put back brings nothing back.
    clock.set(new Date(ValidTo.getTime() - 1000))
    await service.reopen()
    await assert.rejects(decrypt(service.kms(), blob), expired)
    await importMaterial(service.kms(), id, material)
    assert.equal(await decrypt(service.kms(), blob), 'a secret')
  })

  test('can be deleted; only the same brings back what it encrypted', async (t) => {
    const service = await startTestService(t)
    const kms = service.kms()
    const { id, arn } = await newKey(kms, { Origin: 'EXTERNAL' })
    const material = randomBytes(32)
    const materialId = await importMaterial(kms, id, material)
    const blob = await encrypt(kms, id)
    await kms.send(new DisableKeyCommand({ KeyId: id }))
    const { $metadata, ...deleted } = await kms.send(new DeleteImportedKeyMaterialCommand({ KeyId: id }))
    assert.equal($metadata.httpStatusCode, 200)
    assert.deepEqual(deleted, { KeyId: arn, KeyMaterialId: materialId })
    // What was sealed is out of the write-ahead log too: only the trail's head may have come since.
    assert.ok(statSync(join(service.directory, 'kms.db-wal')).size < 10_000)
    assert.equal((await describe(kms, id)).KeyState, 'PendingImport')
    await kms.send(new DeleteImportedKeyMaterialCommand({ KeyId: id, KeyMaterialId: materialId }))
    await assert.rejects(
      kms.send(new DeleteImportedKeyMaterialCommand({ KeyId: id, KeyMaterialId: '0'.repeat(64) })),
      { name: 'NotFoundException' },
    )
    await assert.rejects(kms.send(new EnableKeyCommand({ KeyId: id })), { name: 'KMSInvalidStateException' })
    await importMaterial(kms, id, material)
    assert.equal((await describe(kms, id)).KeyState, 'Enabled')
    assert.equal(await decrypt(kms, blob), 'a secret')
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId: id }))
    await kms.send(new DeleteImportedKeyMaterialCommand({ KeyId: id }))
    assert.equal((await describe(kms, id)).KeyState, 'PendingDeletion')
  })

  test('is rotated on demand to material that was imported for it', async (t) => {
    const kms = (await startTestService(t)).kms()
    const { id, arn } = await newKey(kms, { Origin: 'EXTERNAL' })
    const materials = [randomBytes(32), randomBytes(32)]
    const [first, second] = materials
    assert.ok(first !== undefined && second !== undefined)
    const firstId = await importMaterial(kms, id, first)
    await assert.rejects(kms.send(new RotateKeyOnDemandCommand({ KeyId: id })), {
      name: 'KMSInvalidStateException',
      message: `No available key material pending rotation for the key: ${arn}.`,
    })
    const old = await encrypt(kms, id)
    const isNew = { ...noExpiry, ImportType: 'NEW_KEY_MATERIAL' } as const
    const pendingId = await importMaterial(kms, id, randomBytes(32), isNew)
    await assert.rejects(importMaterial(kms, id, second, isNew), {
      name: 'KMSInvalidStateException',
      message: new RegExp(
        `^New key material \\(id: [0-9a-f]{64}\\) cannot be imported into KMS key ${arn}, because another ` +
          `key material \\(id: ${pendingId}\\) is pending rotation\\.$`,
      ),
    })
    await kms.send(new DeleteImportedKeyMaterialCommand({ KeyId: id, KeyMaterialId: pendingId }))
    assert.equal((await describe(kms, id)).KeyState, 'Enabled')
    const secondId = await importMaterial(kms, id, second, { ...isNew, KeyMaterialDescription: 'two' })
    assert.equal((await describe(kms, id)).CurrentKeyMaterialId, firstId)
    assert.deepEqual(
      (await materialsOf(kms, id)).map((one) => [one.KeyMaterialId, one.KeyMaterialState, one.ImportState]),
      [
        [firstId, 'CURRENT', 'IMPORTED'],
        [secondId, 'PENDING_ROTATION', 'IMPORTED'],
      ],
    )
    await kms.send(new RotateKeyOnDemandCommand({ KeyId: id }))
    assert.equal((await describe(kms, id)).CurrentKeyMaterialId, secondId)
    const current = await encrypt(kms, id)
    assert.equal(Buffer.from(current).toString('hex', 19, 51), secondId)
    for (const blob of [old, current]) assert.equal(await decrypt(kms, blob), 'a secret')
    // Any material that is missing makes the key unusable.
    await kms.send(new DeleteImportedKeyMaterialCommand({ KeyId: id, KeyMaterialId: firstId }))
    await assert.rejects(decrypt(kms, current), { name: 'KMSInvalidStateException' })
    assert.equal(await importMaterial(kms, id, first), firstId)
    for (const blob of [old, current]) assert.equal(await decrypt(kms, blob), 'a secret')
  })
})
