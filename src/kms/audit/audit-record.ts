import type { Account } from '../arn.ts'
import type { Seen } from '../operations/call.ts'
import type { AssumedRole, Principal, Session } from '../principal.ts'
import { type AwsException, inJson, inQuery } from '../protocol/exceptions.ts'
import type { Unrecorded } from './refusal-budget.ts'
import { shortened } from '../shortened.ts'
import { keyResources, seconds, serviceEventRecord } from './service-event.ts'

/** A request and how it ended, as far as the audit trail wants to know. */
export interface Attempt {
  readonly eventName: string
  /** `kms`, `iam`, `sts` … */
  readonly service: string
  readonly readOnly: boolean
  readonly requestId: string
  /** A UUID, made for this record. */
  readonly eventId: string
  readonly receivedAt: Date
  readonly sourceIp: string
  readonly userAgent: string | undefined
  /** Undefined for plain HTTP. */
  readonly tls: TlsDetails | undefined
  /** Undefined when the signature was not right. */
  readonly caller: Principal | undefined
  /** What an unverified signature claims. */
  readonly claimedAccessKeyId: string | undefined
  readonly seen: Seen
  readonly exception: AwsException | undefined
}

/** With the names that CloudTrail has for them. */
export interface TlsDetails {
  /** `TLSv1.3` */
  readonly tlsVersion: string
  /** `TLS_AES_128_GCM_SHA256` */
  readonly cipherSuite: string
}

/** In characters, for what comes from a caller. Anybody may send what has no signature, so it gets the least. */
const longest = { userAgent: 256, accessKeyId: 128, errorMessage: 1024, errorMessageOfUnknown: 256 }

/**
 * One record, with CloudTrail's field names and meanings. No secret is in it: see `recordedParameters`. All that comes
 * from the caller is bounded: the rest by the schema of the operation, and `recordedParameters`.
 * https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
 */
export function auditRecord(attempt: Attempt, account: Account): Record<string, unknown> {
  const { userAgent, seen } = attempt
  return {
    eventVersion: '1.11',
    userIdentity: userIdentity(attempt),
    eventTime: seconds(attempt.receivedAt),
    eventSource: `${attempt.service}.amazonaws.com`,
    eventName: attempt.eventName,
    awsRegion: account.region,
    sourceIPAddress: attempt.sourceIp,
    userAgent: userAgent === undefined ? null : shortened(userAgent, longest.userAgent),
    ...failure(attempt),
    requestParameters: seen.requestParameters ?? null,
    responseElements: seen.responseElements ?? null,
    requestID: attempt.requestId,
    eventID: attempt.eventId,
    readOnly: attempt.readOnly,
    resources: keyResources(seen.keyArns ?? [], account.accountId),
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: account.accountId,
    eventCategory: 'Management',
    ...(attempt.tls === undefined ? {} : { tlsDetails: attempt.tls }),
  }
}

/** One record for all the requests of unknown callers that were refused without a record of their own. */
export function refusedRequestsRecord(unrecorded: Unrecorded, account: Account): Record<string, unknown> {
  const { requests, since, until } = unrecorded
  return serviceEventRecord({
    eventName: 'RefusedRequests',
    account,
    details: { requests, since: since.toISOString(), until: until.toISOString() },
    time: until,
    readOnly: true,
  })
}

/** https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html */
function userIdentity({ caller, claimedAccessKeyId }: Attempt): Record<string, unknown> {
  if (caller === undefined) {
    if (claimedAccessKeyId === undefined) return { type: 'Unknown' }
    return { type: 'Unknown', accessKeyId: shortened(claimedAccessKeyId, longest.accessKeyId) }
  }
  if (caller.type === 'WebIdentityUser') {
    const { type, principalId, subject, arn } = caller
    return { type, principalId, userName: subject, identityProvider: arn }
  }
  return {
    type: caller.type,
    principalId: caller.principalId,
    arn: caller.arn,
    accountId: caller.accountId,
    accessKeyId: caller.accessKeyId,
    ...(caller.type === 'IAMUser' ? { userName: caller.userName } : {}),
    ...(caller.session === undefined ? {} : { sessionContext: sessionContext(caller, caller.session) }),
  }
}

function sessionContext(caller: Principal, session: Session): Record<string, unknown> {
  const { issuedAt, mfaAuthenticatedAt, sourceIdentity, webIdentity } = session
  return {
    ...(caller.type === 'AssumedRole' ? { sessionIssuer: sessionIssuer(caller) } : {}),
    ...(webIdentity === undefined
      ? {}
      : { webIdFederationData: { federatedProvider: webIdentity.providerArn, attributes: {} } }),
    attributes: {
      creationDate: seconds(issuedAt),
      mfaAuthenticated: String(mfaAuthenticatedAt !== undefined),
    },
    ...(sourceIdentity === undefined ? {} : { sourceIdentity }),
  }
}

function sessionIssuer({ role, accountId }: AssumedRole): Record<string, unknown> {
  return { type: 'Role', principalId: role.roleId, arn: role.arn, accountId, userName: role.roleName }
}

function failure({ exception, service, caller }: Attempt): Record<string, unknown> {
  if (exception === undefined) return {}
  const isQueryService = service === 'iam' || service === 'sts'
  const { code } = (isQueryService ? inQuery : inJson)(exception.exceptionName)
  const length = caller === undefined ? longest.errorMessageOfUnknown : longest.errorMessage
  return {
    errorCode: code,
    ...(exception.message === '' ? {} : { errorMessage: shortened(exception.message, length) }),
  }
}
