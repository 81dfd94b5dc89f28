import { type ErrorCode, StrongroomError, systemCode } from '../../errors.ts'
import { answerBehind } from '../../sdk-answer.ts'

export interface KmsCall {
  /** As it was named in the call. */
  readonly masterKey: string | undefined
  readonly endpoint: string
  readonly region: string | undefined
  /** Milliseconds. */
  readonly requestTimeout: number
  readonly credentialsFile: string | undefined
  readonly profile: string | undefined
  /** Whether `strongroom with-mfa` handed over the credentials that were used. */
  readonly isHanded: boolean
}

/** What a message names. */
interface Words {
  readonly key: string
  readonly region: string
  readonly endpoint: string
  readonly credentials: string
}

interface Explanation {
  readonly code: ErrorCode
  say(words: Words): string
}

const refused: Explanation = {
  code: 'SR_UNWRAP_REFUSED',
  say: () => 'the KMS refuses to unwrap it',
}
const unusable: Explanation = {
  code: 'SR_MASTER_KEY_UNUSABLE',
  say: ({ key }) =>
    `master key ${key} cannot be used in its present state; cancel its deletion or restore it`,
}
const credentials: Explanation = {
  code: 'SR_KMS_CREDENTIALS',
  say: ({ endpoint, credentials: source }) =>
    `${endpoint} does not accept the agent's credentials from ${source}; renew them there, and check the clock`,
}

/** By AWS's error name (KMS API reference, `Decrypt`, `GenerateDataKeyWithoutPlaintext`, "Common errors"). */
const explanations = new Map<string, Explanation>([
  ['InvalidCiphertextException', refused],
  ['IncorrectKeyException', refused],
  [
    'DisabledException',
    {
      code: 'SR_MASTER_KEY_DISABLED',
      say: ({ key }) => `master key ${key} is disabled; enable it in the KMS`,
    },
  ],
  ['KMSInvalidStateException', unusable],
  ['KeyUnavailableException', unusable],
  ['InvalidKeyUsageException', unusable],
  [
    'NotFoundException',
    {
      code: 'SR_MASTER_KEY_NOT_FOUND',
      say: ({ key, region, endpoint }) =>
        `${endpoint} knows no master key ${key} in region ${region}; check master-key-id, region and endpoint-url`,
    },
  ],
  [
    'AccessDeniedException',
    {
      code: 'SR_KMS_ACCESS_DENIED',
      say: ({ key }) => `the KMS denies the agent's user the use of master key ${key}; check the key policy`,
    },
  ],
  ['UnrecognizedClientException', credentials],
  ['InvalidClientTokenId', credentials],
  ['ExpiredTokenException', credentials],
  ['ExpiredToken', credentials],
  ['InvalidSignatureException', credentials],
  ['SignatureDoesNotMatch', credentials],
  ['IncompleteSignature', credentials],
  ['IncompleteSignatureException', credentials],
  ['MissingAuthenticationTokenException', credentials],
])

/** Says what an error of the AWS SDK means for the operator, with the KMS's own words and request id (rule K10). */
export function explainKmsError(error: unknown, call: KmsCall): StrongroomError {
  if (error instanceof StrongroomError) return error
  const known = error instanceof Error ? explanations.get(error.name) : undefined
  if (known !== undefined) return explained(known.code, known.say(wordsFor(call)), error)
  if (answerBehind(error).status !== undefined)
    return explained('SR_KMS_FAILED', `${call.endpoint} failed; it is tried again`, error)
  const reason = isTimeout(error) ? `no answer within ${call.requestTimeout} ms` : systemCode(error)
  if (reason !== undefined) {
    return explained(
      'SR_KMS_UNREACHABLE',
      `cannot reach ${call.endpoint} (${reason}); it is tried again`,
      error,
    )
  }
  return explained('SR_KMS_FAILED', `cannot ask ${call.endpoint} (${nameOf(error)}${said(error)})`, error)
}

export function isExpiry(error: unknown): boolean {
  return ['ExpiredTokenException', 'ExpiredToken'].includes(nameOf(error))
}

/** A connection that broke, or an answer of the KMS that speaks of its own trouble. */
export function isWorthAnotherTry(error: unknown): boolean {
  // Of our own making: no credentials.
  if (error instanceof StrongroomError) return false
  const { status } = answerBehind(error)
  if (status === undefined) return systemCode(error) !== undefined && !isTimeout(error)
  return status >= 500 || nameOf(error) === 'ThrottlingException'
}

function wordsFor({ masterKey, region, endpoint, credentialsFile, profile, isHanded }: KmsCall): Words {
  const section = profile === undefined ? '' : `, profile ${profile}`
  const places = `${credentialsFile ?? "the places where AWS's tools look"}${section}`
  return {
    key: masterKey ?? 'of the key file',
    region: region ?? 'unset',
    endpoint,
    credentials: isHanded ? '`strongroom with-mfa`' : places,
  }
}

function explained(code: ErrorCode, text: string, cause: unknown): StrongroomError {
  const { status, requestId } = answerBehind(cause)
  const id = requestId === undefined ? '' : `, request id ${requestId}`
  const answer = status === undefined ? '' : ` (${nameOf(cause)}${said(cause)}${id})`
  return new StrongroomError(code, `${text}${answer}`, { cause })
}

function said(error: unknown): string {
  return error instanceof Error && error.message !== '' ? `: ${error.message}` : ''
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError')
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error
}
