import { iamOperations } from './operations/iam/index.ts'
import type { Operation } from './operations/operation.ts'
import { stsOperations, unsignedStsOperations } from './operations/sts/index.ts'
import type { UnsignedOperation } from './operations/unsigned-operation.ts'
import type { XmlStructure } from './protocol/xml.ts'

export interface QueryService {
  readonly service: string
  readonly namespace: string
  readonly operations: ReadonlyMap<string, Operation<XmlStructure | undefined>>
  readonly unsignedOperations: ReadonlyMap<string, UnsignedOperation<XmlStructure>>
}

/** The query services, by the version of their API that a request names. */
export const queryServices: ReadonlyMap<string, QueryService> = new Map([
  [
    '2010-05-08',
    {
      service: 'iam',
      namespace: 'https://iam.amazonaws.com/doc/2010-05-08/',
      operations: new Map(iamOperations.map((one) => [one.name, one])),
      unsignedOperations: new Map(),
    },
  ],
  [
    '2011-06-15',
    {
      service: 'sts',
      namespace: 'https://sts.amazonaws.com/doc/2011-06-15/',
      operations: new Map(stsOperations.map((one) => [one.name, one])),
      unsignedOperations: new Map(unsignedStsOperations.map((one) => [one.name, one])),
    },
  ],
])
