import type { Permission } from '../authorize.ts'
import type { Call } from '../call.ts'
import { resourceTags } from './condition-keys.ts'
import { type Owner, ownerArn, ownerTags } from './find-owner.ts'

/** To do something with an owner's access keys. */
export function ownerPermission(action: string, owner: Owner, call: Call): Permission {
  return { action, resource: ownerArn(owner, call), conditionKeys: resourceTags(ownerTags(owner)) }
}
