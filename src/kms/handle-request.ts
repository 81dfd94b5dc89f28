import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import { type ApiRequest, type Execute, nameOperation, type NamedOperation } from './api.ts'
import { type Attempt, auditRecord, type TlsDetails } from './audit/audit-record.ts'
import type { Account } from './arn.ts'
import type { AuditTrail } from './audit/audit-trail.ts'
import type { Call, Seen, State, UnsignedCall } from './operations/call.ts'
import { requireUsableFor } from './operations/session-limits.ts'
import type { Metrics } from './metrics.ts'
import type { PerSecond } from './per-second.ts'
import type { Principal } from './principal.ts'
import type { Answer } from './protocol/answer.ts'
import { AwsException } from './protocol/exceptions.ts'
import type { Quotas } from './quotas.ts'
import type { RefusalBudget } from './audit/refusal-budget.ts'
import type { AccessKeyUse } from './state/access-key-usage.ts'
import { logRefusal } from './refusal-log.ts'
import type { WireRequest } from './sigv4/canonical-request.ts'
import { claimedAccessKeyId, verifySignature, type Verifier } from './sigv4/verify.ts'

/** A request as the server received it. */
export interface ReceivedRequest extends WireRequest, ApiRequest {
  readonly userAgent: string | undefined
  readonly sourceIp: string
  readonly receivedAt: Date
  /** Whether it came over TLS. */
  readonly secureTransport: boolean
  readonly tls: TlsDetails | undefined
}

/** What requests are answered with. */
export interface Service {
  /** By region; never without the home region's. */
  readonly states: ReadonlyMap<string, State>
  /** The home region's, where IAM and STS are, and requests that name no region. */
  readonly home: State
  readonly verifier: Verifier
  readonly log: Logger
  readonly trail: AuditTrail
  readonly refusals: RefusalBudget
  /** Says when a failure of the trail is logged: not for each of the requests that strangers can send. */
  readonly trailFailures: PerSecond
  /** Undefined: nobody has a quota. */
  readonly quotas: Quotas | undefined
  /** Undefined: nobody reads them. */
  readonly metrics: Metrics | undefined
}

interface Outcome {
  readonly answer: Answer
  readonly caller: Principal | undefined
  /** The account, with the region that the request was for. */
  readonly account: Account
  readonly exception: AwsException | undefined
}

/** Of an operation that takes longer than other requests should wait. */
interface Unfinished {
  readonly answer: Promise<Answer>
  /** Undefined: that is yet to be proved. */
  readonly caller: Principal | undefined
  readonly account: Account
}

/**
 * From a request to its answer. The record of it is on disk when this resolves, whatever the answer says, unless the
 * caller is unknown and there are too many such requests (see `RefusalBudget`); when the trail can't be written, the
 * answer is that we failed, and nothing that was computed goes out.
 */
export async function handleRequest(request: ReceivedRequest, service: Service): Promise<Answer> {
  const named = nameOperation(request)
  const started = performance.now()
  try {
    await service.trail.requireHealthy()
    const seen: Seen = {}
    const eventId = randomUUID()
    const performed = perform(named, { request, service, seen, eventId })
    const outcome = isComplete(performed)
      ? performed
      : await completed(performed, named, { request, service, seen })
    if (!isStranger(outcome) || service.refusals.take()) {
      await service.trail.append(
        auditRecord(attempt(named, { request, seen, outcome, eventId }), outcome.account),
      )
    }
    measure(named, outcome, service, started)
    return outcome.answer
  } catch (error) {
    if (service.trailFailures.take()) {
      service.log.error(
        { err: error, requestId: request.requestId },
        'cannot write the audit trail: requests fail until it can be written',
      )
    }
    const exception = internalError()
    measure(named, { caller: undefined, exception }, service, started)
    return named.error(exception, request)
  }
}

function perform(
  named: NamedOperation,
  {
    request,
    service,
    seen,
    eventId,
  }: { request: ReceivedRequest; service: Service; seen: Seen; eventId: string },
): Outcome | Unfinished {
  let caller: Principal | undefined
  let { account } = service.home
  try {
    if (named.refusal !== undefined) throw named.refusal
    if (named.answerUnsigned !== undefined) {
      const call = unsignedCall(named, { request, service, seen, eventId })
      return { answer: named.answerUnsigned(call, request), caller: undefined, account }
    }
    const signer = verifySignature(request, scopeFor(named, service), service.verifier, request.receivedAt)
    caller = signer.principal
    service.quotas?.take(signer.principal, named.operationName)
    requireUsableFor(named, signer.principal)
    const state = service.states.get(signer.region) ?? service.home
    account = state.account
    noteUse(signer, { at: request.receivedAt, service: named.service, region: signer.region }, state)
    const call: Call = { caller: signer.principal, ...detailsOf(request), eventId, state, seen }
    const execute: Execute = (operation, members) => operation.execute(members, call)
    const answer = named.answer(execute, request)
    return answer instanceof Promise
      ? { answer, caller: signer.principal, account }
      : { answer, caller, account, exception: undefined }
  } catch (error) {
    return refused(error, named, { request, service, seen, caller, account })
  }
}

/** Such a request may name a region by a scope that nobody checks; STS is in the home region. */
function unsignedCall(
  named: NamedOperation,
  of: { request: ReceivedRequest; service: Service; seen: Seen; eventId: string },
): UnsignedCall {
  const { request, service, seen, eventId } = of
  return {
    ...detailsOf(request),
    ...{ eventId, state: service.home, seen },
    identified(caller) {
      seen.webIdentity = caller
      service.quotas?.take(caller, named.operationName)
    },
  }
}

function detailsOf(
  request: ReceivedRequest,
): Omit<UnsignedCall, 'eventId' | 'state' | 'seen' | 'identified'> {
  const { sourceIp, userAgent, receivedAt, requestId, secureTransport } = request
  return { sourceIp, userAgent, receivedAt, requestId, secureTransport }
}

/**
 * Whose requests don't all get a record. An identity provider that serves the public vouches for anybody: who comes by
 * one and is refused is a stranger too.
 */
function isStranger({ caller, exception }: Outcome): boolean {
  return caller === undefined || (caller.type === 'WebIdentityUser' && exception !== undefined)
}

function isComplete(performed: Outcome | Unfinished): performed is Outcome {
  return !(performed.answer instanceof Promise)
}

async function completed(
  { caller, account, answer }: Unfinished,
  named: NamedOperation,
  of: { request: ReceivedRequest; service: Service; seen: Seen },
): Promise<Outcome> {
  try {
    const done = await answer
    return { answer: done, caller: caller ?? of.seen.webIdentity, account, exception: undefined }
  } catch (error) {
    return refused(error, named, { ...of, caller: caller ?? of.seen.webIdentity, account })
  }
}

interface Refused {
  readonly request: ReceivedRequest
  readonly service: Service
  readonly seen: Seen
  readonly caller: Principal | undefined
  readonly account: Account
}

function refused(error: unknown, named: NamedOperation, of: Refused): Outcome {
  const { request, service, seen, caller, account } = of
  const exception = error instanceof AwsException ? error : internalError(error)
  const { requestId } = request
  const known = caller?.type === 'WebIdentityUser' ? undefined : caller
  logRefusal({ requestId, operation: named.operationName, caller: known, seen, exception }, service.log)
  return { answer: named.error(exception, request), caller, account, exception }
}

/** Of an access key, or of a role. What user's temporary credentials it was says nothing that anybody asks for. */
function noteUse({ principal }: { principal: Principal }, use: AccessKeyUse, state: State): void {
  if (principal.type === 'AssumedRole') state.roleUsage.note(principal.role.roleId, use)
  else if (principal.session === undefined) state.accessKeyUsage.note(principal.accessKeyId, use)
}

/** Operations that nobody has, and those of unknown callers, are not told apart: their names are the callers' choice. */
function measure(
  { service, operationName }: NamedOperation,
  { caller, exception }: Pick<Outcome, 'caller' | 'exception'>,
  { metrics }: Service,
  started: number,
): void {
  const result = exception?.exceptionName ?? 'ok'
  const isNamed = caller !== undefined && result !== 'UnknownOperationException'
  metrics?.note({
    service,
    operation: isNamed ? operationName : 'Unknown',
    result,
    seconds: (performance.now() - started) / 1000,
  })
}

/** IAM is one service for all regions; its clients sign for us-east-1 whatever region they are configured with. */
function scopeFor(named: NamedOperation, { states }: Service): { service: string; regions: string[] } {
  const served = [...states.keys()]
  return { service: named.service, regions: named.spansRegions ? [...served, 'us-east-1'] : served }
}

function attempt(
  named: NamedOperation,
  {
    request,
    seen,
    outcome,
    eventId,
  }: { request: ReceivedRequest; seen: Seen; outcome: Outcome; eventId: string },
): Attempt {
  return {
    eventName: named.operationName,
    service: named.service,
    readOnly: named.readOnly,
    requestId: request.requestId,
    eventId,
    receivedAt: request.receivedAt,
    sourceIp: request.sourceIp,
    userAgent: request.userAgent,
    tls: request.tls,
    caller: outcome.caller,
    claimedAccessKeyId: outcome.caller === undefined ? claimedAccessKeyId(request) : undefined,
    seen,
    exception: outcome.exception,
  }
}

function internalError(cause?: unknown): AwsException {
  return new AwsException('KMSInternalException', 'The service failed; its log says why.', { cause })
}
