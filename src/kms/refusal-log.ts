import type { Logger } from 'pino'
import type { Seen } from './operations/call.ts'
import type { Principal } from './principal.ts'
import { type AwsException, inJson } from './protocol/exceptions.ts'
import { shortened } from './shortened.ts'

/** A request that was answered with an exception. */
export interface Refusal {
  readonly requestId: string
  readonly operation: string
  readonly caller: Principal | undefined
  readonly seen: Seen
  readonly exception: AwsException
}

/**
 * The caller learns no more than the exception says; what it hides (`reason`, `cause`) is for our log: where a blob or
 * a policy is at fault an operator has to see why. Requests of unknown callers show at debug only, or anybody could
 * fill the log.
 */
export function logRefusal(refusal: Refusal, log: Logger): void {
  const { exception, caller, seen } = refusal
  const fields = {
    requestId: refusal.requestId,
    operation: refusal.operation,
    exception: exception.exceptionName,
    ...(exception.message === '' ? {} : { message: shortened(exception.message, 1024) }),
    ...(exception.reason === undefined ? {} : { reason: exception.reason }),
    ...(caller === undefined ? {} : { caller: caller.arn }),
    ...(seen.keyArns === undefined ? {} : { keys: seen.keyArns }),
  }
  if (inJson(exception.exceptionName).status >= 500) {
    log.error({ ...fields, err: exception.cause }, 'request failed')
  } else if (caller !== undefined && deservesInfo(exception)) {
    log.info(fields, 'request refused')
  } else {
    log.debug(fields, 'request refused')
  }
}

function deservesInfo({ exceptionName, reason }: AwsException): boolean {
  return reason !== undefined || exceptionName === 'AccessDeniedException'
}
