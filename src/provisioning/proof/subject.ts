import type { AwsAccess } from '../../aws/access.ts'
import type { Plan } from '../plan.ts'
import type { Wishes } from '../wishes.ts'

/** Whose rights are proved, and to what. */
export interface Subject {
  readonly access: AwsAccess
  readonly plan: Plan
  readonly wishes: Wishes
  readonly keyArn: string
}

/** What a data key of this keyring is wrapped with; undefined: unbound. */
export function contextOf({ keyringId }: Plan): Record<string, string> | undefined {
  return keyringId === undefined ? undefined : contextOfKeyring(keyringId)
}

/** Of none that there is. */
export function otherContext(): Record<string, string> {
  return contextOfKeyring('0'.repeat(32))
}

/** docs/architecture.md; no keyring has a version 0. */
function contextOfKeyring(id: string): Record<string, string> {
  return { 'strongroom-keyring': id, 'strongroom-key-id': '1', 'strongroom-key-version': '0' }
}
