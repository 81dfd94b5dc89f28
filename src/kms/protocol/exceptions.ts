/**
 * Every exception that this service answers with, and its HTTP status. The names and statuses are Amazon's:
 * JSON services (KMS) answer 400 to whatever the caller did wrong, query services (IAM, STS) choose per code.
 * `query` is the code and status that the query protocol uses where it differs.
 * Sources: the "Errors" section of each operation and "Common Error Types" of the KMS, IAM and STS API references.
 */
export const exceptions = {
  AccessDeniedException: { status: 400, query: ['AccessDenied', 403] },
  AlreadyExistsException: { status: 400 },
  ConflictException: { status: 400 },
  DisabledException: { status: 400 },
  DryRunOperationException: { status: 412 },
  ExpiredImportTokenException: { status: 400 },
  ExpiredTokenException: { status: 400, query: ['ExpiredToken', 403] },
  IncompleteSignatureException: { status: 400, query: ['IncompleteSignature', 400] },
  IncorrectKeyException: { status: 400 },
  IncorrectKeyMaterialException: { status: 400 },
  InvalidAliasNameException: { status: 400 },
  InvalidArnException: { status: 400 },
  InvalidCiphertextException: { status: 400 },
  InvalidImportTokenException: { status: 400 },
  InvalidGrantIdException: { status: 400 },
  InvalidGrantTokenException: { status: 400 },
  InvalidKeyUsageException: { status: 400 },
  InvalidMarkerException: { status: 400 },
  InvalidSignatureException: { status: 400, query: ['SignatureDoesNotMatch', 403] },
  KMSInternalException: { status: 500, query: ['ServiceFailure', 500] },
  KMSInvalidStateException: { status: 400 },
  LimitExceededException: { status: 400, query: ['LimitExceeded', 409] },
  MalformedPolicyDocumentException: { status: 400, query: ['MalformedPolicyDocument', 400] },
  MissingAuthenticationTokenException: { status: 400, query: ['MissingAuthenticationToken', 403] },
  NotFoundException: { status: 400 },
  RequestEntityTooLargeException: { status: 413, query: ['RequestEntityTooLarge', 413] },
  SerializationException: { status: 400, query: ['MalformedQueryString', 400] },
  TagException: { status: 400 },
  ThrottlingException: { status: 400, query: ['Throttling', 400] },
  UnknownOperationException: { status: 400, query: ['InvalidAction', 400] },
  UnrecognizedClientException: { status: 400, query: ['InvalidClientTokenId', 403] },
  UnsupportedOperationException: { status: 400, query: ['InvalidInput', 400] },
  ValidationException: { status: 400, query: ['ValidationError', 400] },
  // CloudTrail alone
  InvalidEventCategoryException: { status: 400 },
  InvalidLookupAttributesException: { status: 400 },
  InvalidMaxResultsException: { status: 400 },
  InvalidNextTokenException: { status: 400 },
  InvalidTimeRangeException: { status: 400 },
  // IAM alone
  DeleteConflict: { status: 409 },
  EntityAlreadyExists: { status: 409 },
  InvalidAuthenticationCode: { status: 403 },
  InvalidInput: { status: 400 },
  NoSuchEntity: { status: 404 },
  // STS alone
  ExpiredWebIdentityToken: { status: 400, query: ['ExpiredTokenException', 400] },
  IDPCommunicationError: { status: 400 },
  InvalidIdentityToken: { status: 400 },
  PackedPolicyTooLarge: { status: 400 },
} as const satisfies Record<string, ExceptionRow>

interface ExceptionRow {
  readonly status: number
  readonly query?: readonly [code: string, status: number]
}

export type ExceptionName = keyof typeof exceptions

/** What the caller did wrong, or what we could not do, as Amazon names it. Its text goes to the caller. */
export class AwsException extends Error {
  readonly exceptionName: ExceptionName
  /** For the service's own log only: which of several checks failed, where the caller must not learn it. */
  readonly reason: string | undefined

  constructor(exceptionName: ExceptionName, message: string, options?: { cause?: unknown; reason?: string }) {
    super(message, options)
    this.name = 'AwsException'
    this.exceptionName = exceptionName
    this.reason = options?.reason
  }
}

/** The code and HTTP status of an exception in the JSON protocol. */
export function inJson(name: ExceptionName): { code: string; status: number } {
  return { code: name, status: exceptions[name].status }
}

/** The code and HTTP status of an exception in the query protocol. */
export function inQuery(name: ExceptionName): { code: string; status: number } {
  const row: ExceptionRow = exceptions[name]
  const [code, status] = row.query ?? [name, row.status]
  return { code, status }
}

/** One error for every way in which a blob can be wrong; `reason` tells them apart in the service's log. */
export function invalidCiphertext(reason: string): AwsException {
  return new AwsException('InvalidCiphertextException', '', { reason })
}
