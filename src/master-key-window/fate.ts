import { awsErrorName } from '../aws/errors.ts'
import { StrongroomError, systemCode } from '../errors.ts'
import { answerBehind } from '../sdk-answer.ts'

/**
 * What became of a call that failed:
 * - `refused`: it was answered, and did nothing; the same call again would be refused again.
 * - `again`: it did nothing, and may do something the next time.
 * - `unknown`: no answer came. It may have been done, or may yet be: a request stays valid for minutes.
 */
export type Fate = 'refused' | 'again' | 'unknown'

/** Such a request never left. */
const neverSent = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ENETUNREACH', 'EHOSTUNREACH']

export function fateOf(error: unknown): Fate {
  const cause = error instanceof StrongroomError ? error.cause : error
  // Of our own making, before anything was sent.
  if (cause === undefined) return 'refused'
  const { status } = answerBehind(cause)
  const name = awsErrorName(error)
  if (name === 'ThrottlingException') return 'again'
  if (status !== undefined) return status >= 500 ? 'unknown' : 'refused'
  if (name === 'CredentialsProviderError') return 'refused'
  return neverSent.includes(systemCode(cause) ?? '') ? 'again' : 'unknown'
}
