import { shortened } from '../shortened.ts'

/** As long as the longest text that any operation accepts: a key policy. */
const longestText = 32_768

/**
 * The request members that go into the audit trail. All others stay out, so a new member can't leak by being
 * forgotten: plaintexts, blobs and secrets are never recorded.
 */
const recorded: ReadonlySet<string> = new Set([
  'AccessKeyId',
  'AliasName',
  'BypassPolicyLockoutSafetyCheck',
  'CustomerMasterKeySpec',
  'Description',
  'DestinationEncryptionAlgorithm',
  'DestinationEncryptionContext',
  'DestinationKeyId',
  'DryRun',
  'EncryptionAlgorithm',
  'EncryptionContext',
  'KeyId',
  'KeySpec',
  'KeyUsage',
  'Limit',
  'Marker',
  'MaxItems',
  'MultiRegion',
  'NumberOfBytes',
  'Origin',
  'Path',
  'Policy',
  'PolicyName',
  'SourceEncryptionAlgorithm',
  'SourceEncryptionContext',
  'SourceKeyId',
  'Status',
  'TargetKeyId',
  'UserName',
])

/** CloudTrail writes members with a small first letter, and leaves out what was not given. */
export function recordedParameters(input: unknown): Record<string, unknown> {
  const parameters: Record<string, unknown> = {}
  if (typeof input !== 'object' || input === null) return parameters
  for (const [name, value] of Object.entries(input)) {
    if (!recorded.has(name) || value === undefined || (value instanceof Map && value.size === 0)) continue
    parameters[name.charAt(0).toLowerCase() + name.slice(1)] = plain(value)
  }
  return parameters
}

function plain(value: unknown): unknown {
  if (typeof value === 'string') return shortened(value, longestText)
  return value instanceof Map ? Object.fromEntries<unknown>(value) : value
}
