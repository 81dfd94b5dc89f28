import type { PolicyType, Refused } from '../policy/evaluate.ts'
import { AwsException } from '../protocol/exceptions.ts'
import { type Permission, resourceOf } from './permission.ts'

/**
 * In Amazon's words. Which policy it was is for the service's log and for `strongroom kms simulate`, not for the caller.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
 */
export function accessDenied(refused: Refused, permission: Permission, callerArn: string): AwsException {
  return new AwsException(
    'AccessDeniedException',
    `User: ${callerArn} is not authorized to perform: ${permission.action} on resource: ` +
      `${resourceOf(permission)} ${because(refused, permission)}`,
    reason(refused),
  )
}

function because(refused: Refused, { action, trustOf }: Permission): string {
  const isTrust = (type: PolicyType): boolean => type === 'resource-based' && trustOf !== undefined
  switch (refused.because) {
    case 'explicit deny': {
      const { type } = refused.ground
      if (isTrust(type)) return 'with an explicit deny in the role trust policy'
      return `with an explicit deny in ${type === 'identity-based' ? 'an' : 'a'} ${type} policy`
    }
    case 'no allow': {
      const type = isTrust(refused.missing) ? 'role trust' : refused.missing
      return `because no ${type} policy allows the ${action} action`
    }
    case 'too much effort':
      return 'because its policies are too costly to evaluate'
  }
}

function reason(refused: Refused): { reason?: string } {
  if (refused.because !== 'explicit deny') return {}
  const { statement, policy } = refused.ground
  return { reason: `denied by ${statement} of ${policy}` }
}
