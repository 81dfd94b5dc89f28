import { type ApiRequest, type Execute, nameOperation, type NamedOperation } from './api.ts'
import { type Attempt, auditRecord } from './audit-record.ts'
import type { AuditTrail } from './audit-trail.ts'
import type { Seen, State } from './operations/call.ts'
import type { PerSecond } from './per-second.ts'
import type { Principal } from './principal.ts'
import type { Answer } from './protocol/answer.ts'
import { AwsException } from './protocol/exceptions.ts'
import type { RefusalBudget } from './refusal-budget.ts'
import { logRefusal } from './refusal-log.ts'
import type { WireRequest } from './sigv4/canonical-request.ts'
import { claimedAccessKeyId, verifySignature, type Verifier } from './sigv4/verify.ts'

/** A request as the server received it. */
export interface ReceivedRequest extends WireRequest, ApiRequest {
  readonly userAgent: string | undefined
  readonly sourceIp: string
  readonly receivedAt: Date
}

/** What requests are answered with. */
export interface Service {
  readonly state: State
  readonly verifier: Verifier
  readonly trail: AuditTrail
  readonly refusals: RefusalBudget
  /** Says when a failure of the trail is logged: not for each of the requests that strangers can send. */
  readonly trailFailures: PerSecond
}

interface Outcome {
  readonly answer: Answer
  readonly caller: Principal | undefined
  readonly exception: AwsException | undefined
}

/**
 * From a request to its answer. The record of it is on disk when this resolves, whatever the answer says, unless the
 * caller is unknown and there are too many such requests (see `RefusalBudget`); when the trail can't be written, the
 * answer is that we failed, and nothing that was computed goes out.
 */
export async function handleRequest(request: ReceivedRequest, service: Service): Promise<Answer> {
  const named = nameOperation(request)
  try {
    await service.trail.requireHealthy()
    const seen: Seen = {}
    const outcome = perform(named, { request, service, seen })
    if (outcome.caller !== undefined || service.refusals.take()) {
      await service.trail.append(
        auditRecord(attempt(named, { request, seen, outcome }), service.state.account),
      )
    }
    return outcome.answer
  } catch (error) {
    if (service.trailFailures.take()) {
      service.state.log.error(
        { err: error, requestId: request.requestId },
        'cannot write the audit trail: requests fail until it can be written',
      )
    }
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
    if (named.refusal !== undefined) throw named.refusal
    const signer = verifySignature(request, scopeFor(named, state), service.verifier, request.receivedAt)
    caller = signer
    const { sourceIp, userAgent, receivedAt } = request
    const execute: Execute = (operation, members) =>
      operation.execute(members, { caller: signer, sourceIp, userAgent, receivedAt, state, seen })
    return { answer: named.answer(execute, request), caller, exception: undefined }
  } catch (error) {
    const exception = error instanceof AwsException ? error : internalError(error)
    const { requestId } = request
    logRefusal({ requestId, operation: named.operationName, caller, seen, exception }, state.log)
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

function internalError(cause?: unknown): AwsException {
  return new AwsException('KMSInternalException', 'The service failed; its log says why.', { cause })
}
