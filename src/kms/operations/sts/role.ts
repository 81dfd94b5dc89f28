import type { Principal } from '../../principal.ts'
import { AwsException } from '../../protocol/exceptions.ts'
import type { Role } from '../../state/roles.ts'
import type { Call } from '../call.ts'

const longestOfChain = 3600

/**
 * The role, whether or not it is there: who may not assume it must not learn that. Throws ValidationError for what is no
 * role's ARN, and AccessDenied for the root user, who can't assume roles.
 */
export function seekRole(arn: string, { caller, state }: Call): { arn: string; role: Role | undefined } {
  if (!/^arn:aws:iam::\d{12}:role\/[!-~]+$/.test(arn)) {
    throw new AwsException('ValidationException', `${arn} is invalid`)
  }
  if (caller.type === 'Root') {
    throw new AwsException('AccessDeniedException', 'Roles may not be assumed by root accounts.')
  }
  return { arn, role: state.roles.withArn(arn) }
}

/** Throws ValidationError when the session would last longer than it may. */
export function requireDuration(seconds: number, role: Role, caller: Principal): void {
  // With GetSessionToken's credentials too, Amazon calls it chaining.
  if (caller.session !== undefined && seconds > longestOfChain) {
    throw new AwsException(
      'ValidationException',
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
    )
  }
  if (seconds > role.maxSessionSeconds) {
    throw new AwsException(
      'ValidationException',
      'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
    )
  }
}
