import type { ConformanceCase } from './conformance-case.ts'
import { type KeyOperation, keyOperation } from './key-operations.ts'

const source = 'https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html'

const states = ['Enabled', 'Disabled', 'PendingDeletion', 'PendingImport', 'Unavailable'] as const

/** In the table: works, the key is disabled, is in another state that forbids it, is not of the kind that can. */
const outcomes = {
  ok: 'ok',
  D: 'DisabledException',
  S: 'KMSInvalidStateException',
  U: 'UnsupportedOperationException',
}
type Row = readonly [operation: string, ...outcomes: (keyof typeof outcomes)[]]

/** Amazon's table of key states. Keys in the state PendingImport are of the origin EXTERNAL, all others AWS_KMS. */
const table: readonly Row[] = [
  //                                   Enabled Disabled PendingDeletion PendingImport Unavailable
  ['CancelKeyDeletion', 'S', 'S', 'ok', 'S', 'S'],
  ['CreateAlias', 'ok', 'ok', 'S', 'ok', 'ok'],
  ['CreateGrant', 'ok', 'D', 'S', 'S', 'ok'],
  ['Decrypt', 'ok', 'D', 'S', 'S', 'S'],
  ['DeleteImportedKeyMaterial', 'U', 'U', 'U', 'ok', 'U'],
  ['DescribeKey', 'ok', 'ok', 'ok', 'ok', 'ok'],
  ['DisableKey', 'ok', 'ok', 'S', 'S', 'S'],
  ['DisableKeyRotation', 'ok', 'D', 'S', 'U', 'S'],
  ['EnableKey', 'ok', 'ok', 'S', 'S', 'S'],
  ['EnableKeyRotation', 'ok', 'D', 'S', 'U', 'S'],
  ['Encrypt', 'ok', 'D', 'S', 'S', 'S'],
  ['GenerateDataKey', 'ok', 'D', 'S', 'S', 'S'],
  ['GenerateDataKeyWithoutPlaintext', 'ok', 'D', 'S', 'S', 'S'],
  ['GetKeyLastUsage', 'ok', 'ok', 'ok', 'ok', 'ok'],
  ['GetKeyPolicy', 'ok', 'ok', 'ok', 'ok', 'ok'],
  ['GetKeyRotationStatus', 'ok', 'ok', 'ok', 'U', 'ok'],
  ['GetParametersForImport', 'U', 'U', 'U', 'ok', 'U'],
  ['ListAliases', 'ok', 'ok', 'ok', 'ok', 'ok'],
  ['ListGrants', 'ok', 'ok', 'ok', 'ok', 'ok'],
  ['ListKeyPolicies', 'ok', 'ok', 'ok', 'ok', 'ok'],
  ['ListKeyRotations', 'ok', 'ok', 'ok', 'ok', 'ok'],
  ['ListResourceTags', 'ok', 'ok', 'ok', 'ok', 'ok'],
  ['PutKeyPolicy', 'ok', 'ok', 'ok', 'ok', 'ok'],
  ['ReEncrypt', 'ok', 'D', 'S', 'S', 'S'],
  ['RetireGrant', 'ok', 'ok', 'ok', 'ok', 'ok'],
  ['RevokeGrant', 'ok', 'ok', 'ok', 'ok', 'ok'],
  ['RotateKeyOnDemand', 'ok', 'D', 'S', 'S', 'S'],
  ['ScheduleKeyDeletion', 'ok', 'ok', 'S', 'ok', 'ok'],
  ['TagResource', 'ok', 'ok', 'S', 'ok', 'ok'],
  ['UntagResource', 'ok', 'ok', 'S', 'ok', 'ok'],
  ['UpdateAlias', 'ok', 'ok', 'S', 'ok', 'ok'],
  ['UpdateKeyDescription', 'ok', 'ok', 'S', 'ok', 'ok'],
]

/** Operations for keys of one kind alone, with keys of that kind. */
const ofOneKind: readonly Row[] = [
  ['GetParametersForImport', 'ok', 'ok', 'S', 'ok'],
  ['ImportKeyMaterial', 'ok', 'ok', 'S', 'ok'],
  ['DeleteImportedKeyMaterial', 'ok', 'ok', 'ok', 'ok'],
  ['ReplicateKey', 'ok', 'D', 'S'],
  ['UpdatePrimaryRegion', 'ok', 'D', 'S'],
]

export const unavailableKeysNeeded = table.length + 1

export const keyStateCases: readonly ConformanceCase[] = [
  ...table.flatMap((row) => casesOf(row, () => 'Enabled')),
  ...states.map((state): ConformanceCase => ({
    operation: 'DeleteAlias',
    topic: 'key state',
    variation: state,
    outcome: 'ok',
    source,
    async ask(world) {
      const { aliasName } = await world.key(state)
      return (await world.ask('DeleteAlias', { AliasName: aliasName })).outcome
    },
  })),
  ...ofOneKind.flatMap((row) => casesOf(row, ({ situation = 'Enabled' }) => situation)),
]

function casesOf(
  [operation, ...row]: Row,
  kindOf: (of: KeyOperation) => 'Enabled' | 'imported' | 'multi-Region' | 'PendingDeletion',
): ConformanceCase[] {
  const of = keyOperation(operation)
  const kind = kindOf(of)
  return states.slice(0, row.length).map((state, column) => ({
    operation,
    topic: 'key state',
    variation: kind === 'Enabled' ? state : `${state}, of the kind that it is for`,
    outcome: outcomes[row[column] ?? 'ok'],
    source,
    async ask(world) {
      const key = await world.key(
        state === 'PendingImport' ? 'imported' : state === 'Unavailable' ? state : kind,
      )
      const members = { ...(await of.others(key, world)), [of.member]: key.arn }
      await world.bringTo(state, key)
      return (await world.ask(operation, members)).outcome
    },
  }))
}
