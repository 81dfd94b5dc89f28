import { cloudtrailOperations } from './operations/cloudtrail/index.ts'
import { kmsOperations, unsupportedKmsOperations } from './operations/kms/index.ts'
import type { Operation } from './operations/operation.ts'

/** A service that speaks AWS JSON 1.1. */
export interface JsonService {
  readonly service: string
  readonly operations: ReadonlyMap<string, Operation<object | undefined>>
  /** Operations that Amazon has and that this service does not offer. */
  readonly notOffered: ReadonlySet<string>
}

const cloudtrail: JsonService = {
  service: 'cloudtrail',
  operations: new Map(cloudtrailOperations.map((one) => [one.name, one])),
  notOffered: new Set(),
}

/** The JSON services, by what their `X-Amz-Target` has before the operation's name. */
export const jsonServices: ReadonlyMap<string, JsonService> = new Map<string, JsonService>([
  [
    'TrentService',
    {
      service: 'kms',
      operations: new Map(kmsOperations.map((one) => [one.name, one])),
      notOffered: new Set(unsupportedKmsOperations),
    },
  ],
  // The name that newer clients send, and the one that older ones do.
  ['CloudTrail_20131101', cloudtrail],
  ['com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101', cloudtrail],
])
