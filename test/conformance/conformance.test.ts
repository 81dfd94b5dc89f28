import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { kmsOperations } from '../../src/kms/operations/kms/index.ts'
import { startTestService } from '../support/kms-service.ts'
import { startIssuer } from '../support/oidc-issuer.ts'
import { expectedOutcome } from './differences.ts'
import { conformanceDocument, documentFile } from './document.ts'
import { conformanceCases } from './index.ts'
import { unavailableKeysNeeded } from './key-state-cases.ts'
import { webIdentityOperations } from './web-identity-cases.ts'
import { homeRegion, otherRegion, World } from './world.ts'

/*
 * What Amazon documents, asked of the service one case after the other. A case that fails is either a fault, or a
 * difference: then it stands in `differences.ts`, with the reason, and in docs/kms-conformance.md.
 */

test('what Amazon documents of KMS', async (t) => {
  const service = await startTestService(t, { region: homeRegion, regions: [otherRegion] })
  const world = new World(service, await startIssuer(t))
  await world.prepareProviders()
  await world.prepareUnavailable(unavailableKeysNeeded)
  for (const one of conformanceCases) {
    const expected = expectedOutcome(one)
    await t.test(`${one.operation}, ${one.topic}, ${one.variation}: ${expected}`, async () => {
      assert.equal(await one.ask(world), expected, one.source)
    })
  }
})

test('there are at least 400 cases, no two of them the same, and each names its source', () => {
  assert.ok(conformanceCases.length >= 400, String(conformanceCases.length))
  const names = conformanceCases.map(
    ({ operation, topic, variation }) => `${operation} ${topic} ${variation}`,
  )
  assert.deepEqual(
    names.filter((name, n) => names.indexOf(name) !== n),
    [],
  )
  for (const { source } of conformanceCases)
    assert.match(source, /^https:\/\/docs\.aws\.amazon\.com\/(kms|IAM|STS)\//)
})

test('every operation of KMS has cases, and every one about web identities', () => {
  const asked = new Set(conformanceCases.map(({ operation }) => operation))
  assert.deepEqual(
    [...kmsOperations.map(({ name }) => name), ...webIdentityOperations.keys()].filter(
      (name) => !asked.has(name),
    ),
    [],
  )
})

test('docs/kms-conformance.md is what `npm run conformance-document` makes', () => {
  assert.equal(readFileSync(documentFile, 'utf8'), conformanceDocument())
})
