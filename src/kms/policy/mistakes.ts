import { isPairOfRequest } from './condition-keys.ts'
import type { RawDocument } from './document-schema.ts'
import { malformed } from './malformed.ts'
import type { PolicyKind } from './policy-kinds.ts'

/**
 * Refuses what could be evaluated but can't be meant. For policies that are put; one that is stored stays readable when
 * this becomes stricter. Throws MalformedPolicyDocumentException.
 */
export function requireNoMistakes(kind: PolicyKind, { Statement: statements }: RawDocument): void {
  requireUniqueSids(statements.flatMap(({ Sid }) => Sid ?? []))
  for (const { Sid, Resource, NotResource, Condition } of statements) {
    if (kind !== 'key' && Sid !== undefined && !/^[A-Za-z0-9]*$/.test(Sid)) {
      throw malformed(`Statement IDs (SID) must be alpha-numeric: ${Sid}`)
    }
    for (const resource of [...(Resource ?? []), ...(NotResource ?? [])]) requireArn(resource)
    if (kind === 'key') requireNoForAllValuesOfPairs(Condition ?? {})
  }
}

function requireUniqueSids(sids: readonly string[]): void {
  const repeated = sids.find((sid, index) => sid !== '' && sids.indexOf(sid) !== index)
  if (repeated !== undefined) {
    throw malformed(`Statement IDs (SID) in a single policy must be unique: ${repeated}`)
  }
}

/** Nothing else names a resource, so a Deny for it would deny nothing. */
function requireArn(resource: string): void {
  if (!/^(\*|arn:)/.test(resource)) throw malformed(`Resource ${resource} must be in ARN format or "*"`)
}

function requireNoForAllValuesOfPairs(condition: Record<string, Record<string, unknown>>): void {
  for (const [operator, keys] of Object.entries(condition)) {
    const pair = operator.startsWith('ForAllValues:') ? Object.keys(keys).find(isPairOfRequest) : undefined
    if (pair === undefined) continue
    throw malformed(
      `OverlyPermissiveCondition: Using the ForAllValues set operator with the single-valued condition key ${pair} ` +
        'matches requests without it. To fix, remove ForAllValues.',
    )
  }
}
