import { kmsOperations, missingKmsOperations } from './operations/kms/index.ts'
import { iamOperations } from './operations/iam/index.ts'
import { stsOperations } from './operations/sts/index.ts'
import type { Operation } from './operations/operation.ts'
import type { Answer } from './protocol/answer.ts'
import { AwsException } from './protocol/exceptions.ts'
import { jsonAnswer, jsonError, readJsonMembers } from './protocol/json.ts'
import { queryAnswer, queryError, readFormMembers, type XmlStructure } from './protocol/query.ts'

/** The request as the protocols read it. */
export interface ApiRequest {
  readonly requestId: string
  readonly body: Buffer
}

/** One operation as a request names it, with its protocol's way of reading and answering. */
export interface NamedOperation {
  /** `kms`, `iam` or `sts`. */
  readonly service: string
  readonly operationName: string
  /** Throws what the operation throws, or that there is no such operation. */
  readonly answer: (execute: Execute, request: ApiRequest) => Answer
  readonly error: (exception: AwsException, request: ApiRequest) => Answer
  readonly readOnly: boolean
}

/** Runs an operation for the caller of the request. */
export type Execute = <Output extends object | undefined>(
  operation: Operation<Output>,
  members: Record<string, unknown>,
) => Output

const byName = <Output extends object | undefined>(
  operations: readonly Operation<Output>[],
): ReadonlyMap<string, Operation<Output>> => new Map(operations.map((one) => [one.name, one]))

const kms = byName(kmsOperations)
const missingKms: ReadonlySet<string> = new Set(missingKmsOperations)

interface QueryService {
  readonly service: string
  readonly namespace: string
  readonly operations: ReadonlyMap<string, Operation<XmlStructure | undefined>>
}

/** The query services, by the version of their API that a request names. */
const queryServices: ReadonlyMap<string, QueryService> = new Map([
  [
    '2010-05-08',
    {
      service: 'iam',
      namespace: 'https://iam.amazonaws.com/doc/2010-05-08/',
      operations: byName(iamOperations),
    },
  ],
  [
    '2011-06-15',
    {
      service: 'sts',
      namespace: 'https://sts.amazonaws.com/doc/2011-06-15/',
      operations: byName(stsOperations),
    },
  ],
])

const nameForm = /^[A-Za-z]{1,64}$/

/** The operation that a request names; undefined when it names none. */
export function nameOperation(target: string | undefined, body: Buffer): NamedOperation | undefined {
  return target === undefined ? nameQueryOperation(body) : nameJsonOperation(target)
}

function nameJsonOperation(target: string): NamedOperation | undefined {
  const [prefix, operationName = '', ...more] = target.split('.')
  if (prefix !== 'TrentService' || !nameForm.test(operationName) || more.length > 0) return undefined
  const operation = kms.get(operationName)
  return {
    service: 'kms',
    operationName,
    readOnly: operation?.readOnly ?? /^(Describe|Get|List|Generate|Verify|Sign)/.test(operationName),
    answer(execute, { body }) {
      if (operation === undefined) throw noSuchKmsOperation(operationName)
      return jsonAnswer(execute(operation, readJsonMembers(body)))
    },
    error: jsonError,
  }
}

function nameQueryOperation(body: Buffer): NamedOperation | undefined {
  // Cheap, and enough to tell: every query request has both.
  const form = new URLSearchParams(body.toString('utf8'))
  const service = queryServices.get(form.get('Version') ?? '')
  const operationName = form.get('Action') ?? ''
  if (service === undefined || !nameForm.test(operationName)) return undefined
  const { namespace } = service
  const operation = service.operations.get(operationName)
  return {
    service: service.service,
    operationName,
    readOnly: operation?.readOnly ?? /^(Get|List)/.test(operationName),
    answer(execute, { requestId }) {
      if (operation === undefined) {
        throw new AwsException('UnknownOperationException', `${operationName} is not known to this service.`)
      }
      const output = execute(operation, readFormMembers(body))
      return queryAnswer({ operation: operationName, namespace, requestId }, output)
    },
    error: (exception, { requestId }) => queryError(exception, { namespace, requestId }),
  }
}

function noSuchKmsOperation(name: string): AwsException {
  return missingKms.has(name)
    ? new AwsException('UnsupportedOperationException', `${name} is not supported yet.`)
    : new AwsException('UnknownOperationException', `${name} is not an operation of KMS.`)
}
