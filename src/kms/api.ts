import { kmsOperations, missingKmsOperations } from './operations/kms/index.ts'
import type { Operation } from './operations/operation.ts'
import type { Answer } from './protocol/answer.ts'
import { AwsException } from './protocol/exceptions.ts'
import { jsonAnswer, jsonError, readJsonMembers } from './protocol/json.ts'
import { formMembers, queryAnswer, queryError, readForm } from './protocol/query.ts'
import { queryServices } from './query-services.ts'

/** The request as the protocols read it. */
export interface ApiRequest {
  readonly requestId: string
  readonly body: Buffer
  /** The `X-Amz-Target` header. */
  readonly operationTarget: string | undefined
  /** Why it can't be a request of any protocol; undefined when it can. */
  readonly refusal: AwsException | undefined
}

/** One operation as a request names it, with its protocol's way of reading and answering. */
export interface NamedOperation {
  /** `kms`, `iam` or `sts`. */
  readonly service: string
  /** `Unknown` when the request names none. */
  readonly operationName: string
  /** What to answer, whoever signed, when the request names no operation. */
  readonly refusal: AwsException | undefined
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

const kms = new Map(kmsOperations.map((one) => [one.name, one]))
const missingKms: ReadonlySet<string> = new Set(missingKmsOperations)

const nameForm = /^[A-Za-z]{1,64}$/

/** The operation that a request names. Takes little time, whatever comes: nothing is verified yet. */
export function nameOperation(request: ApiRequest): NamedOperation {
  try {
    if (request.refusal !== undefined) throw request.refusal
    const { operationTarget, body } = request
    return operationTarget === undefined ? nameQueryOperation(body) : nameJsonOperation(operationTarget)
  } catch (error) {
    if (error instanceof AwsException) return unnamed(error)
    throw error
  }
}

function nameJsonOperation(target: string): NamedOperation {
  const [prefix, operationName = '', ...more] = target.split('.')
  if (prefix !== 'TrentService' || !nameForm.test(operationName) || more.length > 0) {
    throw new AwsException('UnknownOperationException', namesNone)
  }
  const operation = kms.get(operationName)
  return {
    service: 'kms',
    operationName,
    refusal: undefined,
    readOnly: operation?.readOnly ?? /^(Describe|Get|List|Generate|Verify|Sign)/.test(operationName),
    answer(execute, { body }) {
      if (operation === undefined) throw noSuchKmsOperation(operationName)
      return jsonAnswer(execute(operation, readJsonMembers(body)))
    },
    error: jsonError,
  }
}

function nameQueryOperation(body: Buffer): NamedOperation {
  const form = readForm(body)
  const service = queryServices.get(form.get('Version') ?? '')
  const operationName = form.get('Action') ?? ''
  if (service === undefined || !nameForm.test(operationName)) {
    throw new AwsException('MissingAuthenticationTokenException', namesNone)
  }
  const { namespace } = service
  const operation = service.operations.get(operationName)
  return {
    service: service.service,
    operationName,
    refusal: undefined,
    readOnly: operation?.readOnly ?? /^(Get|List)/.test(operationName),
    answer(execute, { requestId }) {
      if (operation === undefined) {
        throw new AwsException('UnknownOperationException', `${operationName} is not known to this service.`)
      }
      const output = execute(operation, formMembers(form))
      return queryAnswer({ operation: operationName, namespace, requestId }, output)
    },
    error: (exception, { requestId }) => queryError(exception, { namespace, requestId }),
  }
}

const namesNone = 'The request names no operation of this service.'

function unnamed(refusal: AwsException): NamedOperation {
  return {
    service: 'kms',
    operationName: 'Unknown',
    refusal,
    readOnly: true,
    answer() {
      throw refusal
    },
    error: jsonError,
  }
}

function noSuchKmsOperation(name: string): AwsException {
  return missingKms.has(name)
    ? new AwsException('UnsupportedOperationException', `${name} is not supported yet.`)
    : new AwsException('UnknownOperationException', `${name} is not an operation of KMS.`)
}
