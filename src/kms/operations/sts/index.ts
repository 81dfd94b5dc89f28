import type { XmlStructure } from '../../protocol/query.ts'
import type { Operation } from '../operation.ts'
import type { UnsignedOperation } from '../unsigned-operation.ts'
import { assumeRoleWithWebIdentity } from './assume-role-with-web-identity.ts'
import { assumeRole } from './assume-role.ts'
import { getAccessKeyInfo } from './get-access-key-info.ts'
import { getCallerIdentity } from './get-caller-identity.ts'
import { getSessionToken } from './get-session-token.ts'

/** The operations of STS that this service answers to those who sign. Of federation there is that by OpenID Connect alone. */
export const stsOperations: readonly Operation<XmlStructure | undefined>[] = [
  assumeRole,
  getAccessKeyInfo,
  getCallerIdentity,
  getSessionToken,
]

/** Those that take another proof than a signature. */
export const unsignedStsOperations: readonly UnsignedOperation<XmlStructure>[] = [assumeRoleWithWebIdentity]
