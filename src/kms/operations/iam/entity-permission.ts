import type { Permission } from '../authorize.ts'
import { both, type ConditionKeys, resourceTags } from './condition-keys.ts'
import type { Sought } from './sought.ts'

/** To do something with a user, a group, a role or a managed policy. */
export function entityPermission(
  action: string,
  sought: Sought<object>,
  more: ConditionKeys = new Map(),
): Permission {
  return {
    action,
    resource: sought.arn,
    conditionKeys: both(resourceTags(sought.tags), more),
  }
}
