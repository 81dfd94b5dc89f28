import { AwsException, type ExceptionName } from '../../protocol/exceptions.ts'
import type { Key, KeyState } from '../../state/keys.ts'

/*
 * Which operation works on a key in which state, and what it answers otherwise.
 * https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
 */

type Outcome = keyof typeof refusals | 'works'

/** Amazon's table has one column for PendingDeletion and PendingReplicaDeletion; their texts differ. */
const refusals = {
  disabled: ['DisabledException', 'is disabled.'],
  pendingDeletion: ['KMSInvalidStateException', 'is pending deletion.'],
  pendingReplicaDeletion: ['KMSInvalidStateException', 'is pending replica deletion.'],
  notPendingDeletion: ['KMSInvalidStateException', 'is not pending deletion.'],
  pendingImport: ['KMSInvalidStateException', 'is pending import.'],
  unavailable: ['KMSInvalidStateException', 'is unavailable.'],
} as const satisfies Record<string, readonly [ExceptionName, string]>

type Row = Readonly<Record<KeyState, Outcome>>

const anyState: Row = {
  Enabled: 'works',
  Disabled: 'works',
  PendingDeletion: 'works',
  PendingReplicaDeletion: 'works',
  PendingImport: 'works',
  Unavailable: 'works',
}
const notWhenDeleted: Row = {
  ...anyState,
  PendingDeletion: 'pendingDeletion',
  PendingReplicaDeletion: 'pendingReplicaDeletion',
}
/**
 * What changes an unavailable key would put a new tag on a row that somebody altered, so it is refused here also where
 * Amazon, whose unavailable keys are those of a disconnected key store, carries it out.
 */
const changes: Row = { ...notWhenDeleted, Unavailable: 'unavailable' }
const enabling: Row = { ...changes, PendingImport: 'pendingImport' }
const usableOnly: Row = { ...enabling, Disabled: 'disabled' }

const table = {
  CancelKeyDeletion: {
    Enabled: 'notPendingDeletion',
    Disabled: 'notPendingDeletion',
    PendingDeletion: 'works',
    PendingReplicaDeletion: 'works',
    PendingImport: 'notPendingDeletion',
    Unavailable: 'notPendingDeletion',
  },
  CreateAlias: notWhenDeleted,
  CreateGrant: { ...usableOnly, Unavailable: 'works' },
  Decrypt: usableOnly,
  DeleteAlias: anyState,
  DeleteImportedKeyMaterial: { ...anyState, Unavailable: 'unavailable' },
  DescribeKey: anyState,
  DisableKey: enabling,
  DisableKeyRotation: usableOnly,
  EnableKey: enabling,
  EnableKeyRotation: usableOnly,
  Encrypt: usableOnly,
  GenerateDataKey: usableOnly,
  GenerateDataKeyWithoutPlaintext: usableOnly,
  GetKeyLastUsage: anyState,
  GetKeyPolicy: anyState,
  GetKeyRotationStatus: anyState,
  GetParametersForImport: changes,
  ImportKeyMaterial: changes,
  ListAliases: anyState,
  ListGrants: anyState,
  ListKeyPolicies: anyState,
  ListKeyRotations: anyState,
  ListResourceTags: anyState,
  PutKeyPolicy: { ...anyState, Unavailable: 'unavailable' },
  ReEncrypt: usableOnly,
  ReplicateKey: usableOnly,
  RetireGrant: anyState,
  RevokeGrant: anyState,
  RotateKeyOnDemand: usableOnly,
  ScheduleKeyDeletion: changes,
  TagResource: changes,
  UntagResource: changes,
  // The alias may come from a key in any state; the state of the key that it is to name decides.
  UpdateAlias: notWhenDeleted,
  UpdateKeyDescription: changes,
  UpdatePrimaryRegion: usableOnly,
} as const satisfies Record<string, Row>

export type OperationOnKey = keyof typeof table

/**
 * Throws, in Amazon's words, unless the operation works on a key in this state. For `run`, after the permissions were
 * asked and after the checks of what kind of key it is: `requireKeyState('TagResource', key)`.
 */
export function requireKeyState(operation: OperationOnKey, key: Pick<Key, 'arn' | 'state'>): void {
  const row: Row = table[operation]
  const outcome = row[key.state]
  if (outcome === 'works') return
  const [name, text] = refusals[outcome]
  throw new AwsException(name, `${key.arn} ${text}`)
}
