import { DecryptCommand, EncryptCommand, RotateKeyOnDemandCommand } from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decrypt, encrypt, importMaterial, newKey } from '../../../../test/support/kms-keys.ts'
import { startTestService } from '../../../../test/support/kms-service.ts'

const invalid = { name: 'InvalidCiphertextException', message: 'UnknownError' }

test('any one byte of a blob that is changed, the error is the same, with and without a key id', async (t) => {
  const kms = (await startTestService(t, { regions: ['eu-west-1'] })).kms()
  const keys = [await newKey(kms), await newKey(kms, { MultiRegion: true })]
  let changes = 0
  for (const { id } of keys) {
    const blob = Buffer.from(await encrypt(kms, id))
    for (let at = 0; at < blob.length; at++) {
      for (const KeyId of [undefined, id]) {
        const changed = Buffer.from(blob)
        // Every bit of the byte, in turn; the third byte also becomes that of the other format.
        changed.writeUInt8(changed.readUInt8(at) ^ (at === 2 ? 3 : 1 << (at & 7)), at)
        await assert.rejects(
          kms.send(new DecryptCommand({ KeyId, CiphertextBlob: changed })),
          invalid,
          `${at}`,
        )
        changes++
      }
    }
  }
  assert.equal(changes, 4 * 107)
})

test('any change of the encryption context is refused with that error, too', async (t) => {
  const kms = (await startTestService(t)).kms()
  const { id } = await newKey(kms)
  const text = fc.string({ unit: 'binary', maxLength: 20 })
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.tuple(text, text), { minLength: 1, maxLength: 5, selector: ([key]) => key }),
      fc.nat(),
      fc.constantFrom('key', 'value', 'more', 'less'),
      async (pairs, pick, change) => {
        const EncryptionContext = Object.fromEntries(pairs)
        const { CiphertextBlob } = await kms.send(
          new EncryptCommand({ KeyId: id, Plaintext: Buffer.from('x'), EncryptionContext }),
        )
        await kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }))
        const index = pick % pairs.length
        const other = pairs.map(([key, value], n): [string, string] =>
          n !== index ? [key, value] : change === 'key' ? [`${key}!`, value] : [key, `${value}!`],
        )
        if (change === 'more') other.push(['one more', ''])
        if (change === 'less') other.splice(index, 1)
        const changed = { CiphertextBlob, EncryptionContext: Object.fromEntries(other) }
        await assert.rejects(kms.send(new DecryptCommand(changed)), invalid)
      },
    ),
    { numRuns: 60 },
  )
})

test('whatever was rotated and imported in between, every blob opens to what was encrypted', async (t) => {
  const kms = (await startTestService(t)).kms()
  const step = fc.constantFrom('encrypt', 'rotate', 'import')
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 12 }), async (steps) => {
      const own = await newKey(kms)
      const external = await newKey(kms, { Origin: 'EXTERNAL' })
      let material = Buffer.alloc(32, 1)
      const noExpiry = { ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' } as const
      await importMaterial(kms, external.id, material)
      const blobs: [Uint8Array, string][] = []
      for (const [n, action] of steps.entries()) {
        if (action === 'rotate') await kms.send(new RotateKeyOnDemandCommand({ KeyId: own.id }))
        if (action === 'import') {
          material = Buffer.alloc(32, n + 2)
          await importMaterial(kms, external.id, material, { ...noExpiry, ImportType: 'NEW_KEY_MATERIAL' })
          await kms.send(new RotateKeyOnDemandCommand({ KeyId: external.id }))
        }
        for (const { id } of [own, external]) blobs.push([await encrypt(kms, id, `${n} ${id}`), `${n} ${id}`])
      }
      for (const [blob, text] of blobs) assert.equal(await decrypt(kms, blob), text)
    }),
    { numRuns: 5 },
  )
})
