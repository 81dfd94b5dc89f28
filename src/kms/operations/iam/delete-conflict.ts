import { AwsException } from '../../protocol/exceptions.ts'
import type { State } from '../call.ts'

export function deleteConflict(toDo: string): AwsException {
  return new AwsException('DeleteConflict', `Cannot delete entity, must ${toDo} first.`)
}

/** Throws DeleteConflict while a user, group or role has inline or attached policies. */
export function requireNoPolicies(ownerId: string, state: State): void {
  if (state.attachedPolicies.policyIdsOf(ownerId).length > 0) throw deleteConflict('detach all policies')
  if (state.inlinePolicies.of(ownerId).size > 0) throw deleteConflict('delete policies')
}
