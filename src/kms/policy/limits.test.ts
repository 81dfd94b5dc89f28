import { CreateKeyCommand, EncryptCommand, type KMSClient } from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestService } from '../../../test/support/kms-service.ts'

const root = { AWS: 'arn:aws:iam::111122223333:root' }

function policyWith(Condition: object): string {
  const statement = { Principal: root, Action: 'kms:*', Resource: '*' }
  return JSON.stringify({
    Statement: [
      { ...statement, Effect: 'Allow' },
      { ...statement, Effect: 'Deny', Action: 'kms:Encrypt', Condition },
    ],
  })
}

function like(...patterns: readonly string[]): object {
  return { StringLike: { 'kms:EncryptionContext:a': patterns } }
}

async function encryptTime(
  kms: KMSClient,
  condition: object,
  EncryptionContext: Record<string, string> = { a: 'a'.repeat(8191) },
): Promise<number> {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({ Policy: policyWith(condition) }))
  const times: number[] = []
  for (let n = 0; n < 5; n++) {
    const start = performance.now()
    await kms.send(
      new EncryptCommand({
        KeyId: KeyMetadata?.KeyId,
        Plaintext: Buffer.from('x'),
        EncryptionContext,
      }),
    )
    times.push(performance.now() - start)
  }
  return Math.min(...times)
}

test('no policy that is accepted makes a request slow', async (t) => {
  const kms = (await startTestService(t)).kms()
  const benign = await encryptTime(kms, like('b*'))
  const table = [
    like(`*${'a'.repeat(1021)}b*`),
    like(`*?${'a'.repeat(251)}b*`),
    like(`*${'?'.repeat(252)}b*`),
    like(...Array.from({ length: 204 }, () => '*aab*')),
    like(...Array.from({ length: 50 }, () => '*?ab*')),
  ]
  for (const condition of table) {
    const slow = await encryptTime(kms, condition)
    assert.ok(
      slow < 25 * benign,
      `${slow} ms against ${benign} ms: ${JSON.stringify(condition).slice(0, 80)}`,
    )
  }
  assert.equal(table.length, 5)
  const manyKeys = Object.fromEntries(Array.from({ length: 2000 }, (_, n) => [String(n), '']))
  const none = await encryptTime(kms, { Null: { 'kms:EncryptionContextKeys': 'true' } }, manyKeys)
  for (const operator of ['StringEquals', 'StringEqualsIgnoreCase', 'StringLike']) {
    const keys = { 'kms:EncryptionContextKeys': Array.from({ length: 64 }, (_, n) => `*${n}b`) }
    const slow = await encryptTime(kms, { [`ForAnyValue:${operator}`]: keys }, manyKeys)
    assert.ok(slow < 25 * none, `${slow} ms against ${none} ms: ${operator}`)
  }
  for (const patterns of [[`*${'a'.repeat(10_000)}b*`], Array.from({ length: 513 }, String)]) {
    await assert.rejects(encryptTime(kms, like(...patterns)), { name: 'MalformedPolicyDocumentException' })
  }
})
