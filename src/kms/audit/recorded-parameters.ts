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
  'AssignmentStatus',
  'AssumeRolePolicyDocument',
  'BypassPolicyLockoutSafetyCheck',
  'ClientID',
  'ClientIDList',
  'Constraints',
  'CustomerMasterKeySpec',
  'Description',
  'DestinationEncryptionAlgorithm',
  'DestinationEncryptionContext',
  'DestinationKeyId',
  'DryRun',
  'DryRunModifiers',
  'DurationSeconds',
  'EncryptionAlgorithm',
  'EncryptionContext',
  'EndTime',
  'EntityFilter',
  'EventCategory',
  'ExpirationModel',
  'ExternalId',
  'Filter',
  'GrantId',
  'GranteePrincipal',
  'GroupName',
  'ImportType',
  'IncludeKeyMaterial',
  'KeyId',
  'KeyMaterialDescription',
  'KeyMaterialId',
  'KeySpec',
  'KeyUsage',
  'Limit',
  'LookupAttributes',
  'Marker',
  'MaxItems',
  'MaxResults',
  'MaxSessionDuration',
  'MinimumSessionTokenSize',
  'MultiRegion',
  'Name',
  'NewGroupName',
  'NewPath',
  'NewUserName',
  'NumberOfBytes',
  'OnlyAttached',
  'OpenIDConnectProviderArn',
  'Operations',
  'Origin',
  'Path',
  'PathPrefix',
  'PendingWindowInDays',
  'PermissionsBoundary',
  'Policy',
  'PolicyArn',
  'PolicyArns',
  'PolicyDocument',
  'PolicyName',
  'PolicyUsageFilter',
  'PrimaryRegion',
  'ReplicaRegion',
  'RetiringPrincipal',
  'RoleArn',
  'RoleName',
  'RoleSessionName',
  'RotationPeriodInDays',
  'Scope',
  'SerialNumber',
  'SetAsDefault',
  'SourceEncryptionAlgorithm',
  'SourceEncryptionContext',
  'SourceIdentity',
  'SourceKeyId',
  'StartTime',
  'Status',
  'TagKeys',
  'Tags',
  'TargetKeyId',
  'ThumbprintList',
  'TransitiveTagKeys',
  'Url',
  'UserName',
  'ValidTo',
  'VersionId',
  'VirtualMFADeviceName',
  'WrappingAlgorithm',
  'WrappingKeySpec',
])

/** Whether a request member may be read by others than the caller: in the trail, in an error and in the log. */
export function isRecorded(name: string): boolean {
  return recorded.has(name)
}

/** CloudTrail writes members with a small first letter, and leaves out what was not given. */
export function recordedParameters(input: unknown): Record<string, unknown> {
  if (typeof input !== 'object' || input === null) return {}
  return members(Object.entries(input).filter(([name]) => recorded.has(name)))
}

function members(entries: readonly [string, unknown][]): Record<string, unknown> {
  return Object.fromEntries(
    entries
      .filter(([, value]) => value !== undefined && !(value instanceof Map && value.size === 0))
      .map(([name, value]) => [name.charAt(0).toLowerCase() + name.slice(1), plain(value)]),
  )
}

/** The keys of maps are the caller's words, not names of members. */
function plain(value: unknown): unknown {
  if (typeof value === 'string') return shortened(value, longestText)
  if (value instanceof Map) return Object.fromEntries<unknown>(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  return members(Object.entries(value))
}
