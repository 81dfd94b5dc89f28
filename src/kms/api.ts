import { jsonServices } from './json-services.ts'
import type { UnsignedCall } from './operations/call.ts'
import type { Operation } from './operations/operation.ts'
import type { Answer } from './protocol/answer.ts'
import { AwsException } from './protocol/exceptions.ts'
import { formMembers } from './protocol/form-members.ts'
import { formPairs } from './protocol/form.ts'
import { jsonAnswer, jsonError, readJsonMembers } from './protocol/json.ts'
import { queryAnswer, queryError, type XmlStructure } from './protocol/query.ts'
import { queryServices } from './query-services.ts'
import { isOfSignature } from './sigv4/presigned.ts'
import { type QueryPair, queryPairs, splitTarget } from './sigv4/query-string.ts'

/** The request as the protocols read it. */
export interface ApiRequest {
  readonly requestId: string
  readonly method: string
  /** Path and query, as in the request line. */
  readonly target: string
  readonly body: Buffer
  /** The `Content-Type` header. */
  readonly contentType: string | undefined
  /** The `X-Amz-Target` header. */
  readonly operationTarget: string | undefined
  /** Why it can't be a request of any protocol; undefined when it can. */
  readonly refusal: AwsException | undefined
}

/** One operation as a request names it, with its protocol's way of reading and answering. */
export interface NamedOperation {
  /** `kms`, `iam`, `sts` …, as in the scope of a signature. */
  readonly service: string
  /** Whether the request may also be signed for us-east-1, wherever this is: so it is for services that span regions. */
  readonly spansRegions: boolean
  /** `Unknown` when the request names none. */
  readonly operationName: string
  /** What to answer, whoever signed, when the request names no operation. */
  readonly refusal: AwsException | undefined
  /**
   * Throws what the operation throws, or that there is no such operation. A promise only for an operation that takes
   * longer than other requests should wait.
   */
  readonly answer: (execute: Execute, request: ApiRequest) => Answer | Promise<Answer>
  /** Set for an operation that takes no signature. Rejects with what the operation throws. */
  readonly answerUnsigned?: ((call: UnsignedCall, request: ApiRequest) => Promise<Answer>) | undefined
  readonly error: (exception: AwsException, request: ApiRequest) => Answer
  readonly readOnly: boolean
}

/** Runs an operation for the caller of the request. */
export type Execute = <Output extends object | undefined>(
  operation: Operation<Output>,
  members: Record<string, unknown>,
) => Output

const nameForm = /^[A-Za-z]{1,64}$/

/** The operation that a request names. Takes little time, whatever comes: nothing is verified yet. */
export function nameOperation(request: ApiRequest): NamedOperation {
  try {
    if (request.refusal !== undefined) throw request.refusal
    const { operationTarget } = request
    return operationTarget === undefined ? nameQueryOperation(request) : nameJsonOperation(operationTarget)
  } catch (error) {
    if (error instanceof AwsException) return unnamed(error, jsonError)
    throw error
  }
}

function nameJsonOperation(target: string): NamedOperation {
  const dot = target.lastIndexOf('.')
  const service = jsonServices.get(target.slice(0, Math.max(dot, 0)))
  const operationName = target.slice(dot + 1)
  if (service === undefined || !nameForm.test(operationName)) {
    throw new AwsException('UnknownOperationException', namesNone)
  }
  const operation = service.operations.get(operationName)
  return {
    service: service.service,
    spansRegions: false,
    operationName,
    refusal: undefined,
    readOnly: operation?.readOnly ?? /^(Describe|Get|List|Generate|Verify|Sign)/.test(operationName),
    answer(execute, request) {
      requireJsonRequest(request)
      if (operation !== undefined) {
        const output = execute(operation, readJsonMembers(request.body))
        return output instanceof Promise ? output.then(jsonAnswer) : jsonAnswer(output)
      }
      throw service.notOffered.has(operationName)
        ? new AwsException(
            'UnsupportedOperationException',
            `${operationName} is not offered by this service.`,
          )
        : new AwsException(
            'UnknownOperationException',
            `${operationName} is not an operation of ${service.service}.`,
          )
    },
    error: jsonError,
  }
}

/** Other content types are other protocols', whose requests must not mean something here. */
function requireJsonRequest({ method, contentType = '' }: ApiRequest): void {
  if (method === 'POST' && /^application\/x-amz-json-1\.[01]\s*(;|$)/i.test(contentType)) return
  throw new AwsException(
    'UnknownOperationException',
    'A request with X-Amz-Target is a POST with the Content-Type application/x-amz-json-1.1.',
  )
}

function nameQueryOperation(request: ApiRequest): NamedOperation {
  const pairs = parameters(request)
  const operationName = valueOf(pairs, 'Action')
  const version = valueOf(pairs, 'Version')
  if (operationName === undefined || !nameForm.test(operationName)) {
    throw new AwsException('MissingAuthenticationTokenException', namesNone)
  }
  const service = queryServices.get(version ?? '')
  const unknown = new AwsException(
    'UnknownOperationException',
    `Could not find operation ${operationName} for version ${version ?? 'NO_VERSION_SPECIFIED'}`,
  )
  if (service === undefined) {
    const none = { namespace: undefined }
    return unnamed(unknown, (exception, { requestId }) => queryError(exception, { ...none, requestId }))
  }
  const { namespace } = service
  const operation = service.operations.get(operationName)
  const unsigned = service.unsignedOperations.get(operationName)
  const answer = (output: XmlStructure | undefined, { requestId }: ApiRequest): Answer =>
    queryAnswer({ operation: operationName, namespace, requestId }, output)
  return {
    service: service.service,
    spansRegions: true,
    operationName,
    refusal: undefined,
    readOnly: (operation ?? unsigned)?.readOnly ?? /^(Get|List)/.test(operationName),
    answer(execute, request) {
      if (operation === undefined) throw unknown
      return answer(execute(operation, formMembers(pairs)), request)
    },
    answerUnsigned:
      unsigned &&
      (async (call, request) => {
        requireSmall(request)
        return answer(await unsigned.executeUnsigned(formMembers(pairs), call), request)
      }),
    error: (exception, { requestId }) => queryError(exception, { namespace, requestId }),
  }
}

/** Of the query string, and of the form that a POST brings. */
function parameters({ target, method, body }: ApiRequest): QueryPair[] {
  const inQuery = queryPairs(splitTarget(target).query).filter(([name]) => !isOfSignature(name))
  return method === 'POST' ? [...inQuery, ...formPairs(body)] : inQuery
}

function valueOf(pairs: readonly QueryPair[], wanted: string): string | undefined {
  return pairs.find(([name]) => name === wanted)?.[1]
}

/** Strangers get the parser of forms for no more than such a request can need. */
function requireSmall({ body }: ApiRequest): void {
  if (body.length <= mostUnsignedBytes) return
  throw new AwsException(
    'RequestEntityTooLargeException',
    `A request without a signature has at most ${mostUnsignedBytes} bytes.`,
  )
}

const mostUnsignedBytes = 65_536

const namesNone = 'The request names no operation of this service.'

function unnamed(refusal: AwsException, error: NamedOperation['error']): NamedOperation {
  return {
    service: 'kms',
    spansRegions: false,
    operationName: 'Unknown',
    refusal,
    readOnly: true,
    answer() {
      throw refusal
    },
    error,
  }
}
