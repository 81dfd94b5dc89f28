import type { XmlStructure } from '../../protocol/query.ts'
import type { Operation } from '../operation.ts'
import { assumeRole } from './assume-role.ts'
import { getAccessKeyInfo } from './get-access-key-info.ts'
import { getCallerIdentity } from './get-caller-identity.ts'
import { getSessionToken } from './get-session-token.ts'

/** The operations of STS that this service answers. Federation is none of them: there is nobody to federate with. */
export const stsOperations: readonly Operation<XmlStructure | undefined>[] = [
  assumeRole,
  getAccessKeyInfo,
  getCallerIdentity,
  getSessionToken,
]
