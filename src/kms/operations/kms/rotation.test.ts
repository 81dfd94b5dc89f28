import {
  CancelKeyDeletionCommand,
  DisableKeyCommand,
  DisableKeyRotationCommand,
  EnableKeyCommand,
  EnableKeyRotationCommand,
  GetKeyRotationStatusCommand,
  type GetKeyRotationStatusCommandOutput,
  type KMSClient,
  ListKeyRotationsCommand,
  type ListKeyRotationsCommandInput,
  RotateKeyOnDemandCommand,
  type RotationsListEntry,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { describe as suite, test } from 'node:test'
import { decrypt, describe, encrypt, newKey } from '../../../../test/support/kms-keys.ts'
import { startTestService } from '../../../../test/support/kms-service.ts'
import { settableClock } from '../../../../test/support/key-store.ts'

const minute = 60_000
const day = 24 * 60 * minute

function statusOf(kms: KMSClient, KeyId: string): Promise<GetKeyRotationStatusCommandOutput> {
  return kms.send(new GetKeyRotationStatusCommand({ KeyId }))
}

async function rotations(
  kms: KMSClient,
  KeyId: string,
  options: Partial<ListKeyRotationsCommandInput> = {},
): Promise<RotationsListEntry[]> {
  return (await kms.send(new ListKeyRotationsCommand({ KeyId, ...options }))).Rotations ?? []
}

suite('the rotation of keys', () => {
  test('is off for a new key; on, it has a period of 365 days unless another of 90 to 2560 is given', async (t) => {
    const kms = (await startTestService(t)).kms()
    const { id, arn } = await newKey(kms)
    const { $metadata, ...off } = await statusOf(kms, id)
    assert.equal($metadata.httpStatusCode, 200)
    assert.deepEqual(off, { KeyId: arn, KeyRotationEnabled: false })
    for (const [given, expected] of [
      [undefined, 365],
      [90, 90],
      [2560, 2560],
    ] as const) {
      await kms.send(new EnableKeyRotationCommand({ KeyId: id, RotationPeriodInDays: given }))
      const on = await statusOf(kms, id)
      assert.equal(on.KeyRotationEnabled, true)
      assert.equal(on.RotationPeriodInDays, expected)
      const next = on.NextRotationDate?.getTime() ?? assert.fail()
      assert.ok(Math.abs(next - Date.now() - expected * day) < 3_600_000)
    }
    for (const period of [89, 2561]) {
      await assert.rejects(
        kms.send(new EnableKeyRotationCommand({ KeyId: id, RotationPeriodInDays: period })),
        { name: 'ValidationException' },
      )
    }
    await kms.send(new DisableKeyRotationCommand({ KeyId: id }))
    assert.equal((await statusOf(kms, id)).KeyRotationEnabled, false)
  })

  test('is carried out each time that it is due; what was encrypted before can still be read', async (t) => {
    const clock = settableClock()
    const service = await startTestService(t, { clock })
    const kms = service.kms()
    const { id, arn } = await newKey(kms)
    await kms.send(new EnableKeyRotationCommand({ KeyId: id, RotationPeriodInDays: 90 }))
    // A little ahead of the clock by which requests are dated.
    clock.pass(minute)
    const blobs = [await encrypt(kms, id, 'text 0')]
    const materials = [(await describe(kms, id)).CurrentKeyMaterialId ?? '']
    for (let n = 1; n <= 3; n++) {
      clock.pass(89 * day)
      await service.current.runDue()
      assert.equal((await describe(kms, id)).CurrentKeyMaterialId, materials.at(-1))
      clock.pass(day)
      await service.current.runDue()
      await service.current.runDue()
      materials.push((await describe(kms, id)).CurrentKeyMaterialId ?? '')
      blobs.push(await encrypt(kms, id, `text ${n}`))
    }
    assert.equal(new Set(materials).size, 4)
    for (const [n, blob] of blobs.entries()) {
      // The id of the backing key stands in the blob.
      assert.equal(Buffer.from(blob).toString('hex', 19, 51), materials[n])
      assert.equal(await decrypt(kms, blob), `text ${n}`)
    }
    const listed = await rotations(kms, id)
    assert.deepEqual(
      listed.map(({ KeyId, KeyMaterialId, KeyMaterialState, RotationType }) => [
        KeyId,
        KeyMaterialId,
        KeyMaterialState,
        RotationType,
      ]),
      [
        [arn, materials[1], 'NON_CURRENT', 'AUTOMATIC'],
        [arn, materials[2], 'NON_CURRENT', 'AUTOMATIC'],
        [arn, materials[3], 'CURRENT', 'AUTOMATIC'],
      ],
    )
    assert.equal(listed.at(-1)?.RotationDate?.getTime(), clock.now().getTime())
    const recorded = service.trail().filter(({ eventName }) => eventName === 'RotateKey')
    assert.deepEqual(
      recorded.map((record) => record['serviceEventDetails']),
      [1, 2, 3].map((n) => ({
        keyId: id,
        rotationType: 'AUTOMATIC',
        keyOrigin: 'AWS_KMS',
        previousKeyMaterialId: materials[n - 1],
        currentKeyMaterialId: materials[n],
      })),
    )
    await service.reopen()
    for (const [n, blob] of blobs.entries()) assert.equal(await decrypt(service.kms(), blob), `text ${n}`)
  })

  test('however late it is, a key is rotated once, and then after a whole period', async (t) => {
    const clock = settableClock()
    const service = await startTestService(t, { clock })
    const kms = service.kms()
    const { id } = await newKey(kms)
    await kms.send(new EnableKeyRotationCommand({ KeyId: id, RotationPeriodInDays: 90 }))
    clock.pass(1000 * day)
    await service.current.runDue()
    await service.current.runDue()
    assert.equal((await rotations(kms, id)).length, 1)
    assert.equal((await statusOf(kms, id)).NextRotationDate?.getTime(), clock.now().getTime() + 90 * day)
  })

  test('waits while the key is disabled or pending deletion', async (t) => {
    const clock = settableClock()
    const service = await startTestService(t, { clock })
    const kms = service.kms()
    const [disabled, deleted] = [await newKey(kms), await newKey(kms)]
    for (const { id } of [disabled, deleted]) {
      await kms.send(new EnableKeyRotationCommand({ KeyId: id, RotationPeriodInDays: 90 }))
    }
    await kms.send(new DisableKeyCommand({ KeyId: disabled.id }))
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId: deleted.id, PendingWindowInDays: 30 }))
    assert.equal((await statusOf(kms, disabled.id)).KeyRotationEnabled, true)
    assert.equal((await statusOf(kms, deleted.id)).KeyRotationEnabled, false)
    await kms.send(new CancelKeyDeletionCommand({ KeyId: deleted.id }))
    assert.equal((await statusOf(kms, deleted.id)).KeyRotationEnabled, true)
    clock.pass(100 * day)
    await service.current.runDue()
    assert.deepEqual(await rotations(kms, disabled.id), [])
    assert.deepEqual(await rotations(kms, deleted.id), [])
    await kms.send(new EnableKeyCommand({ KeyId: disabled.id }))
    await service.current.runDue()
    assert.equal((await rotations(kms, disabled.id)).length, 1)
  })

  test('happens on demand 25 times for a key, without changing when it is due', async (t) => {
    const kms = (await startTestService(t)).kms()
    const { id, arn } = await newKey(kms)
    await kms.send(new EnableKeyRotationCommand({ KeyId: id, RotationPeriodInDays: 90 }))
    const { NextRotationDate } = await statusOf(kms, id)
    const blobs: Uint8Array[] = []
    for (let n = 0; n < 25; n++) {
      blobs.push(await encrypt(kms, id, `text ${n}`))
      assert.equal((await kms.send(new RotateKeyOnDemandCommand({ KeyId: id }))).KeyId, arn)
    }
    await assert.rejects(kms.send(new RotateKeyOnDemandCommand({ KeyId: id })), {
      name: 'LimitExceededException',
      message: /on-demand rotations limit has been reached/,
    })
    for (const [n, blob] of blobs.entries()) assert.equal(await decrypt(kms, blob), `text ${n}`)
    const status = await statusOf(kms, id)
    assert.deepEqual(status.NextRotationDate, NextRotationDate)
    assert.equal(status.OnDemandRotationStartDate, undefined)

    const all = await rotations(kms, id, { IncludeKeyMaterial: 'ALL_KEY_MATERIAL' })
    assert.equal(all.length, 26)
    assert.deepEqual([all[0]?.RotationType, all[0]?.RotationDate], [undefined, undefined])
    assert.ok(all.slice(1).every(({ RotationType }) => RotationType === 'ON_DEMAND'))
    assert.equal(all.filter(({ KeyMaterialState }) => KeyMaterialState === 'CURRENT').length, 1)
    const paged: RotationsListEntry[] = []
    let Marker: string | undefined
    const sizes: (number | undefined)[] = []
    do {
      const page = await kms.send(new ListKeyRotationsCommand({ KeyId: id, Limit: 10, Marker }))
      paged.push(...(page.Rotations ?? []))
      sizes.push(page.Rotations?.length)
      assert.equal(page.Truncated, page.NextMarker !== undefined)
      Marker = page.NextMarker
    } while (Marker !== undefined)
    assert.deepEqual(sizes, [10, 10, 5])
    assert.deepEqual(paged, all.slice(1))
    const unknown = Buffer.from('0'.repeat(64)).toString('base64url')
    await assert.rejects(rotations(kms, id, { Marker: unknown }), { name: 'InvalidMarkerException' })
  })

  test('does not happen on demand in the last 20 minutes before an automatic one', async (t) => {
    const service = await startTestService(t)
    const kms = service.kms()
    const { id } = await newKey(kms)
    const start = Date.now()
    t.mock.timers.enable({ apis: ['Date'], now: start })
    await kms.send(new EnableKeyRotationCommand({ KeyId: id, RotationPeriodInDays: 90 }))
    t.mock.timers.setTime(start + 90 * day - 21 * minute)
    await kms.send(new RotateKeyOnDemandCommand({ KeyId: id }))
    t.mock.timers.setTime(start + 90 * day - 19 * minute)
    await assert.rejects(kms.send(new RotateKeyOnDemandCommand({ KeyId: id })), {
      name: 'ConflictException',
      message: /within the next 20 minutes/,
    })
  })

  test('is none of keys with imported material', async (t) => {
    const kms = (await startTestService(t)).kms()
    const { id, arn } = await newKey(kms, { Origin: 'EXTERNAL' })
    const expected = {
      name: 'UnsupportedOperationException',
      message: `${arn} origin is EXTERNAL which is not valid for this operation.`,
    }
    await assert.rejects(kms.send(new EnableKeyRotationCommand({ KeyId: id })), expected)
    await assert.rejects(kms.send(new DisableKeyRotationCommand({ KeyId: id })), expected)
    await assert.rejects(statusOf(kms, id), expected)
  })
})
