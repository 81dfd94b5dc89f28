import { randomUUID } from 'node:crypto'
import type { Account } from './arn.ts'
import type { Seen } from './operations/call.ts'
import type { Principal } from './principal.ts'
import { type AwsException, inJson, inQuery } from './protocol/exceptions.ts'
import type { Unrecorded } from './refusal-budget.ts'
import { shortened } from './shortened.ts'

/** A request and how it ended, as far as the audit trail wants to know. */
export interface Attempt {
  readonly eventName: string
  /** `kms`, `iam` or `sts`. */
  readonly service: string
  readonly readOnly: boolean
  readonly requestId: string
  readonly receivedAt: Date
  readonly sourceIp: string
  readonly userAgent: string | undefined
  /** Undefined when the signature was not right. */
  readonly caller: Principal | undefined
  /** What an unverified signature claims. */
  readonly claimedAccessKeyId: string | undefined
  readonly seen: Seen
  readonly exception: AwsException | undefined
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
    eventID: randomUUID(),
    readOnly: attempt.readOnly,
    resources: (seen.keyArns ?? []).map((arn) => ({
      ARN: arn,
      type: 'AWS::KMS::Key',
      accountId: account.accountId,
    })),
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: account.accountId,
    eventCategory: 'Management',
  }
}

/** One record for all the requests of unknown callers that were refused without a record of their own. */
export function refusedRequestsRecord(unrecorded: Unrecorded, account: Account): Record<string, unknown> {
  return {
    eventVersion: '1.11',
    userIdentity: { type: 'Unknown' },
    eventTime: seconds(unrecorded.until),
    eventSource: 'kms.amazonaws.com',
    eventName: 'RefusedRequests',
    awsRegion: account.region,
    serviceEventDetails: {
      requests: unrecorded.requests,
      since: unrecorded.since.toISOString(),
      until: unrecorded.until.toISOString(),
    },
    eventID: randomUUID(),
    readOnly: true,
    eventType: 'AwsServiceEvent',
    managementEvent: true,
    recipientAccountId: account.accountId,
    eventCategory: 'Management',
  }
}

function userIdentity({ caller, claimedAccessKeyId }: Attempt): Record<string, unknown> {
  if (caller === undefined) {
    if (claimedAccessKeyId === undefined) return { type: 'Unknown' }
    return { type: 'Unknown', accessKeyId: shortened(claimedAccessKeyId, longest.accessKeyId) }
  }
  return {
    type: caller.type,
    principalId: caller.principalId,
    arn: caller.arn,
    accountId: caller.accountId,
    accessKeyId: caller.accessKeyId,
    ...(caller.type === 'IAMUser' ? { userName: caller.userName } : {}),
  }
}

function failure({ exception, service, caller }: Attempt): Record<string, unknown> {
  if (exception === undefined) return {}
  const { code } = (service === 'kms' ? inJson : inQuery)(exception.exceptionName)
  const length = caller === undefined ? longest.errorMessageOfUnknown : longest.errorMessage
  return {
    errorCode: code,
    ...(exception.message === '' ? {} : { errorMessage: shortened(exception.message, length) }),
  }
}

function seconds(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`
}
