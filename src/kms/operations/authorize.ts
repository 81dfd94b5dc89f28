import { decide, decideBy, policiesFor } from '../authorization/decide.ts'
import type { Permission } from '../authorization/permission.ts'
import { accessDenied } from '../authorization/refusal.ts'
import type { PolicyDocument } from '../policy/document.ts'
import type { Key } from '../state/keys/key.ts'
import type { Call } from './call.ts'

export type { Permission } from '../authorization/permission.ts'

/** Throws AccessDeniedException, in Amazon's words, unless the caller is allowed. */
export function authorize(permission: Permission, call: Call): void {
  const decision = decide(permission, call)
  if (!decision.allowed) throw accessDenied(decision, permission, call.caller.arn)
}

/** Whether the caller could put this key's policy if `policy` were it. A key that is to be made has no attributes yet. */
export function couldPutKeyPolicy(
  key: Key | { readonly arn: string },
  policy: PolicyDocument,
  call: Call,
): boolean {
  const about = 'keyId' in key ? { key } : { resource: key.arn }
  const permission = { action: 'kms:PutKeyPolicy', ...about, bypassesLockoutCheck: false }
  const resourcePolicy = { source: 'key policy', document: policy }
  return decideBy({ ...policiesFor(permission, call), resourcePolicy }, permission, call).allowed
}
