import { type ErrorCode, messageOf, StrongroomError, systemCode } from '../errors.ts'
import { answerBehind } from '../sdk-answer.ts'

export interface AwsCall {
  /** What it was for: "create the master key". */
  readonly doing: string
  readonly endpoint: string
}

const ofCredentials = [
  'CredentialsProviderError',
  'UnrecognizedClientException',
  'InvalidClientTokenId',
  'ExpiredTokenException',
  'ExpiredToken',
  'InvalidSignatureException',
  'SignatureDoesNotMatch',
  'IncompleteSignature',
  'MissingAuthenticationTokenException',
]

/**
 * Says what an error of the AWS SDK means for an administrator, with AWS's own words and the request id. The cause stays: its
 * `name` is AWS's (`awsErrorName`).
 */
export function explainAwsError(error: unknown, { doing, endpoint }: AwsCall): StrongroomError {
  if (error instanceof StrongroomError) return error
  const explained = (code: ErrorCode, advice: string): StrongroomError =>
    new StrongroomError(code, `cannot ${doing}: ${advice}${answerOf(error)}`, { cause: error })
  const name = error instanceof Error ? error.name : ''
  if (ofCredentials.includes(name))
    return explained('SR_AWS_CREDENTIALS', `${endpoint} has no usable credentials from you`)
  if (name.startsWith('AccessDenied') || name === 'AuthorizationErrorException')
    return explained('SR_AWS_REFUSED', `${endpoint} does not let you`)
  if (
    answerBehind(error).status === undefined &&
    (systemCode(error) !== undefined || name === 'TimeoutError')
  )
    return explained('SR_AWS_UNREACHABLE', `${endpoint} is not to be reached`)
  return explained('SR_AWS_FAILED', `${endpoint} refuses`)
}

/** AWS's name of an error (`NotFoundException`), also where it is the cause of one of ours. */
export function awsErrorName(error: unknown): string | undefined {
  const aws = error instanceof StrongroomError ? error.cause : error
  return aws instanceof Error ? aws.name : undefined
}

function answerOf(error: unknown): string {
  const name = error instanceof Error ? `${error.name}: ` : ''
  const { requestId } = answerBehind(error)
  return ` (${name}${messageOf(error)}${requestId !== undefined ? `, request id ${requestId}` : ''})`
}
