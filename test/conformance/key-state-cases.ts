import type { ConformanceCase } from './conformance-case.ts'
import { keyOperation } from './key-operations.ts'
import type { KeySituation, World } from './world.ts'

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
  ['GetKeyPolicy', 'ok', 'ok', 'ok', 'ok', 'ok'],
  ['GetParametersForImport', 'U', 'U', 'U', 'ok', 'U'],
  ['ListAliases', 'ok', 'ok', 'ok', 'ok', 'ok'],
  ['ListGrants', 'ok', 'ok', 'ok', 'ok', 'ok'],
  ['ListKeyPolicies', 'ok', 'ok', 'ok', 'ok', 'ok'],
  ['ListResourceTags', 'ok', 'ok', 'ok', 'ok', 'ok'],
  ['PutKeyPolicy', 'ok', 'ok', 'ok', 'ok', 'ok'],
  ['ReEncrypt', 'ok', 'D', 'S', 'S', 'S'],
  ['RotateKeyOnDemand', 'ok', 'D', 'S', 'S', 'S'],
  ['ScheduleKeyDeletion', 'ok', 'ok', 'S', 'ok', 'ok'],
  ['TagResource', 'ok', 'ok', 'S', 'ok', 'ok'],
  ['UntagResource', 'ok', 'ok', 'S', 'ok', 'ok'],
  ['UpdateAlias', 'ok', 'ok', 'S', 'ok', 'ok'],
  ['UpdateKeyDescription', 'ok', 'ok', 'S', 'ok', 'ok'],
]

export const unavailableKeysNeeded = table.length

export const keyStateCases: readonly ConformanceCase[] = table.flatMap(([operation, ...row]) =>
  states.map((state, column) => ({
    operation,
    topic: 'key state',
    variation: state,
    outcome: outcomes[row[column] ?? 'ok'],
    source,
    ask: (world) => askInState(operation, state, world),
  })),
)

async function askInState(operation: string, state: KeySituation, world: World): Promise<string> {
  const { member, others } = keyOperation(operation)
  const key = await world.key(state)
  return (await world.ask(operation, { ...(await others(key, world)), [member]: key.arn })).outcome
}
