import { type ApiRequest, type Execute, nameOperation, type NamedOperation } from './api.ts'
import { type Attempt, auditRecord } from './audit-record.ts'
import type { AuditTrail } from './audit-trail.ts'
import type { Seen, State } from './operations/call.ts'
import type { Principal } from './principal.ts'
import type { Answer } from './protocol/answer.ts'
import { AwsException, inJson } from './protocol/exceptions.ts'
import { jsonError } from './protocol/json.ts'
import type { WireRequest } from './sigv4/canonical-request.ts'
import { claimedAccessKeyId, verifySignature, type Verifier } from './sigv4/verify.ts'

/** A request as the server received it. */
export interface ReceivedRequest extends WireRequest, ApiRequest {
  /** The `X-Amz-Target` header. */
  readonly operationTarget: string | undefined
  readonly userAgent: string | undefined
  readonly sourceIp: string
  readonly receivedAt: Date
}

/** What requests are answered with. */
export interface Service {
  readonly state: State
  readonly verifier: Verifier
  readonly trail: AuditTrail
}

interface Outcome {
  readonly answer: Answer
  readonly caller: Principal | undefined
  readonly exception: AwsException | undefined
}

/**
 * From a request to its answer. The record of it is on disk when this resolves, whatever the answer says;
 * when the trail can't be written, the answer is that we failed, and nothing that was computed goes out.
 */
export async function handleRequest(request: ReceivedRequest, service: Service): Promise<Answer> {
  const named = nameOperation(request.operationTarget, request.body)
  if (named === undefined) return jsonError(namesNoOperation(request))
  try {
    await service.trail.requireHealthy()
    const seen: Seen = {}
    const outcome = perform(named, { request, service, seen })
    await service.trail.append(auditRecord(attempt(named, { request, seen, outcome }), service.state.account))
    return outcome.answer
  } catch (error) {
    service.state.log.error({ err: error, requestId: request.requestId }, 'cannot write the audit trail')
    return named.error(internalError(), request)
  }
}

function perform(
  named: NamedOperation,
  { request, service, seen }: { request: ReceivedRequest; service: Service; seen: Seen },
): Outcome {
  const { state } = service
  let caller: Principal | undefined
  try {
    const signer = verifySignature(request, scopeFor(named, state), service.verifier, request.receivedAt)
    caller = signer
    const { sourceIp, userAgent, receivedAt } = request
    const execute: Execute = (operation, members) =>
      operation.execute(members, { caller: signer, sourceIp, userAgent, receivedAt, state, seen })
    return { answer: named.answer(execute, request), caller, exception: undefined }
  } catch (error) {
    const exception = asException(error)
    log(named, { request, service, exception })
    return { answer: named.error(exception, request), caller, exception }
  }
}

/** IAM is one service for all regions; its clients sign for us-east-1 whatever region they are configured with. */
function scopeFor({ service }: NamedOperation, { account }: State): { service: string; regions: string[] } {
  return { service, regions: service === 'kms' ? [account.region] : [account.region, 'us-east-1'] }
}

function attempt(
  named: NamedOperation,
  { request, seen, outcome }: { request: ReceivedRequest; seen: Seen; outcome: Outcome },
): Attempt {
  return {
    eventName: named.operationName,
    service: named.service,
    readOnly: named.readOnly,
    requestId: request.requestId,
    receivedAt: request.receivedAt,
    sourceIp: request.sourceIp,
    userAgent: request.userAgent,
    caller: outcome.caller,
    claimedAccessKeyId: outcome.caller === undefined ? claimedAccessKeyId(request) : undefined,
    seen,
    exception: outcome.exception,
  }
}

/** The caller learns no more than the exception says; what it hides (`reason`, `cause`) is for our log. */
function log(
  named: NamedOperation,
  { request, service, exception }: { request: ReceivedRequest; service: Service; exception: AwsException },
): void {
  const fields = {
    requestId: request.requestId,
    operation: named.operationName,
    exception: exception.exceptionName,
    ...(exception.reason === undefined ? {} : { reason: exception.reason }),
  }
  if (inJson(exception.exceptionName).status >= 500) {
    service.state.log.error({ ...fields, err: exception.cause }, 'request failed')
  } else {
    service.state.log.debug(fields, 'request refused')
  }
}

function asException(error: unknown): AwsException {
  return error instanceof AwsException ? error : internalError(error)
}

function internalError(cause?: unknown): AwsException {
  return new AwsException('KMSInternalException', 'The service failed; its log says why.', { cause })
}

function namesNoOperation(request: ReceivedRequest): AwsException {
  const name =
    request.operationTarget === undefined
      ? 'MissingAuthenticationTokenException'
      : 'UnknownOperationException'
  return new AwsException(name, 'The request names no operation of this service.')
}
