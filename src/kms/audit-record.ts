import { randomUUID } from 'node:crypto'
import type { Account } from './arn.ts'
import type { Seen } from './operations/call.ts'
import type { Principal } from './principal.ts'
import { type AwsException, inJson, inQuery } from './protocol/exceptions.ts'

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

/**
 * One record, with CloudTrail's field names and meanings. No secret is in it: see `recordedParameters`.
 * https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
 */
export function auditRecord(attempt: Attempt, account: Account): Record<string, unknown> {
  return {
    eventVersion: '1.11',
    userIdentity: userIdentity(attempt),
    eventTime: `${attempt.receivedAt.toISOString().slice(0, 19)}Z`,
    eventSource: `${attempt.service}.amazonaws.com`,
    eventName: attempt.eventName,
    awsRegion: account.region,
    sourceIPAddress: attempt.sourceIp,
    userAgent: attempt.userAgent ?? null,
    ...failure(attempt),
    requestParameters: attempt.seen.requestParameters ?? null,
    responseElements: null,
    requestID: attempt.requestId,
    eventID: randomUUID(),
    readOnly: attempt.readOnly,
    resources: (attempt.seen.keyArns ?? []).map((arn) => ({
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

function userIdentity({ caller, claimedAccessKeyId }: Attempt): Record<string, unknown> {
  if (caller === undefined) {
    return {
      type: 'Unknown',
      ...(claimedAccessKeyId === undefined ? {} : { accessKeyId: claimedAccessKeyId }),
    }
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

function failure({ exception, service }: Attempt): Record<string, unknown> {
  if (exception === undefined) return {}
  const { code } = (service === 'kms' ? inJson : inQuery)(exception.exceptionName)
  return {
    errorCode: code,
    ...(exception.message === '' ? {} : { errorMessage: exception.message }),
  }
}
