import type { Call, State } from '../operations/call.ts'
import type { NamedPolicy } from '../policy/document.ts'
import { type Decision, evaluate, type Policies } from '../policy/evaluate.ts'
import { type Permission, resourceOf } from './permission.ts'
import { requestContext } from './request-context.ts'
import { trustPolicy } from './trust-policy.ts'

/** Whether the caller is allowed it, and by what. */
export function decide(permission: Permission, call: Call): Decision {
  return decideBy(policiesFor(permission, call), permission, call)
}

export function decideBy(policies: Policies, permission: Permission, call: Call): Decision {
  return evaluate(
    {
      principal: call.caller,
      action: permission.action,
      resource: resourceOf(permission),
      context: requestContext(permission, call),
      encryptionContext: permission.encryptionContext,
      newGrant: permission.newGrant,
    },
    policies,
  )
}

/** All the policies and grants that have a say. */
export function policiesFor(permission: Permission, { caller, state }: Call): Policies {
  const { key } = permission
  return {
    resourcePolicy: resourcePolicy(permission, state),
    denyingPolicy: permission.grants === undefined ? undefined : keyPolicy(permission),
    identityPolicies: state.identityPolicies.of(caller),
    sessionPolicies: caller.session?.policies,
    grants: permission.grants ?? (key === undefined ? [] : state.grants.applicable(key, caller)),
  }
}

function resourcePolicy(permission: Permission, { log }: State): NamedPolicy | undefined {
  const { key, trustOf, grants } = permission
  if (grants !== undefined) return undefined
  if (key !== undefined) return keyPolicy(permission)
  return trustOf === undefined ? undefined : trustPolicy(trustOf, log)
}

function keyPolicy({ key }: Permission): NamedPolicy | undefined {
  return key && { source: 'key policy', document: key.policyDocument }
}
