import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KeyState } from '../../state/keys.ts'
import { type OperationOnKey, requireKeyState } from './key-states.ts'

const states: readonly KeyState[] = [
  'Enabled',
  'Disabled',
  'PendingDeletion',
  'PendingReplicaDeletion',
  'PendingImport',
  'Unavailable',
]
const arn = 'arn:aws:kms:us-east-1:111122223333:key/00112233-4455-6677-8899-aabbccddeeff'

/** What each mark stands for. */
const outcomes: Readonly<Record<string, string>> = {
  '+': 'works',
  d: `DisabledException: ${arn} is disabled.`,
  p: `KMSInvalidStateException: ${arn} is pending deletion.`,
  r: `KMSInvalidStateException: ${arn} is pending replica deletion.`,
  n: `KMSInvalidStateException: ${arn} is not pending deletion.`,
  i: `KMSInvalidStateException: ${arn} is pending import.`,
  u: `KMSInvalidStateException: ${arn} is unavailable.`,
}

/** A mark for each of the states, in their order. */
const table: Readonly<Record<OperationOnKey, string>> = {
  CancelKeyDeletion: 'n n + + n n',
  CreateAlias: '+ + p r + +',
  CreateGrant: '+ d p r i +',
  Decrypt: '+ d p r i u',
  DeleteAlias: '+ + + + + +',
  DeleteImportedKeyMaterial: '+ + + + + u',
  DescribeKey: '+ + + + + +',
  DisableKey: '+ + p r i u',
  DisableKeyRotation: '+ d p r i u',
  EnableKey: '+ + p r i u',
  EnableKeyRotation: '+ d p r i u',
  Encrypt: '+ d p r i u',
  GenerateDataKey: '+ d p r i u',
  GenerateDataKeyWithoutPlaintext: '+ d p r i u',
  GetKeyLastUsage: '+ + + + + +',
  GetKeyPolicy: '+ + + + + +',
  GetKeyRotationStatus: '+ + + + + +',
  GetParametersForImport: '+ + p r + u',
  ImportKeyMaterial: '+ + p r + u',
  ListAliases: '+ + + + + +',
  ListGrants: '+ + + + + +',
  ListKeyPolicies: '+ + + + + +',
  ListKeyRotations: '+ + + + + +',
  ListResourceTags: '+ + + + + +',
  PutKeyPolicy: '+ + + + + u',
  ReEncrypt: '+ d p r i u',
  ReplicateKey: '+ d p r i u',
  RetireGrant: '+ + + + + +',
  RevokeGrant: '+ + + + + +',
  RotateKeyOnDemand: '+ d p r i u',
  ScheduleKeyDeletion: '+ + p r + u',
  TagResource: '+ + p r + u',
  UntagResource: '+ + p r + u',
  UpdateAlias: '+ + p r + +',
  UpdateKeyDescription: '+ + p r + u',
  UpdatePrimaryRegion: '+ d p r i u',
}

test('each operation works on keys in the states that are documented, and says why not in the others', () => {
  let outcomesSeen = 0
  for (const [name, row] of Object.entries(table)) {
    const operation = Object.keys(table).find((one): one is OperationOnKey => one === name) ?? assert.fail()
    for (const [index, mark] of row.split(' ').entries()) {
      const state = states[index] ?? assert.fail()
      assert.equal(outcomeOf(operation, state), outcomes[mark], `${name}, ${state}`)
      outcomesSeen++
    }
  }
  assert.equal(outcomesSeen, 216)
})

function outcomeOf(operation: OperationOnKey, state: KeyState): string {
  try {
    requireKeyState(operation, { arn, state })
    return 'works'
  } catch (error) {
    if (!(error instanceof Error && 'exceptionName' in error)) throw error
    return `${String(error.exceptionName)}: ${error.message}`
  }
}
