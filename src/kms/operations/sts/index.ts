import type { XmlStructure } from '../../protocol/query.ts'
import type { Operation } from '../operation.ts'
import { getCallerIdentity } from './get-caller-identity.ts'

/** The operations of STS that this service answers. */
export const stsOperations: readonly Operation<XmlStructure | undefined>[] = [getCallerIdentity]
