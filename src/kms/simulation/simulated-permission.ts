import type { Permission } from '../authorization/permission.ts'
import type { State } from '../operations/call.ts'
import { resourceTags } from '../operations/iam/condition-keys.ts'
import { findKey, type NamedKey } from '../operations/kms/find-key.ts'
import { isKnownConditionKey } from '../policy/condition-keys.ts'
import { AwsException } from '../protocol/exceptions.ts'
import type { SimulationQuestion } from './question.ts'
import { unanswerable } from './unanswerable.ts'

/** Those whose requests have an encryption algorithm, and perhaps an encryption context. */
const cryptographic: ReadonlySet<string> = new Set([
  'kms:Decrypt',
  'kms:Encrypt',
  'kms:GenerateDataKey',
  'kms:GenerateDataKeyWithoutPlaintext',
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
])

const trustActions: ReadonlySet<string> = new Set([
  'sts:AssumeRole',
  'sts:AssumeRoleWithWebIdentity',
  'sts:SetSourceIdentity',
  'sts:TagSession',
])

/** What the operation would ask for; throws SR_KMS_SIMULATION when what it is about is not there. */
export function simulatedPermission(action: string, question: SimulationQuestion, state: State): Permission {
  if (action === 'kms:RetireGrant') {
    throw unanswerable('who may retire a grant is what the grant says: aws kms list-grants shows it')
  }
  const conditionKeys = conditionKeysOf(question, state)
  if (question.key !== undefined) {
    const { key, requestAlias } = named(question.key, state)
    return { action, key, requestAlias, conditionKeys, ...partsOf(action, question) }
  }
  const { resource } = question
  if (trustActions.has(action)) {
    if (resource === undefined) throw unanswerable(`${action} is about a role, which has to be named`)
    return { action, resource, trustOf: state.roles.withArn(resource) ?? 'nobody', conditionKeys }
  }
  return { action, conditionKeys, ...(resource === undefined ? {} : { resource }) }
}

function partsOf(action: string, { encryptionContext }: SimulationQuestion): Partial<Permission> {
  if (action === 'kms:CreateGrant') return { newGrant: 'any' }
  if (!cryptographic.has(action)) return {}
  return { encryptionContext: new Map(encryptionContext), encryptionAlgorithm: 'SYMMETRIC_DEFAULT' }
}

function named(name: string, state: State): NamedKey {
  try {
    return findKey(name, state)
  } catch (error) {
    if (error instanceof AwsException) throw unanswerable(error.message, error)
    throw error
  }
}

/** What the question says, and the tags of the user or role that it is about. */
function conditionKeysOf(
  { conditionKeys, resource = '' }: SimulationQuestion,
  { users, roles }: State,
): ReadonlyMap<string, readonly string[]> {
  const keys = new Map(resourceTags((users.withArn(resource) ?? roles.withArn(resource))?.tags))
  for (const [name, value] of conditionKeys) {
    if (!isKnownConditionKey(name)) throw unanswerable(`there is no condition key ${name}`)
    const key = name.toLowerCase()
    keys.set(key, [...(keys.get(key) ?? []), value])
  }
  return keys
}
