import { randomUUID } from 'node:crypto'
import type { Account } from '../arn.ts'

/** Something that the service did by itself. */
export interface ServiceEvent {
  /** `RotateKey`, `DeleteKey`, `DeleteExpiredKeyMaterial` … */
  readonly eventName: string
  /** With the region in which it happened. */
  readonly account: Account
  /** The keys that it was about. */
  readonly keyArns?: readonly string[]
  /** Such as `{ keyId, rotationType: 'AUTOMATIC' }`. */
  readonly details: Record<string, unknown>
  /** When it happened; now, when left out. */
  readonly time?: Date
  readonly readOnly?: boolean
}

const invokedBy = 'AWS Internal'

/**
 * The record of something that nobody asked for just then: a due rotation, the end of a waiting period.
 * https://docs.aws.amazon.com/awscloudtrail/latest/userguide/non-api-aws-service-events.html and, for what KMS says of
 * each, https://docs.aws.amazon.com/kms/latest/developerguide/ct-rotatekey.html, ct-delete-key.html,
 * ct-deleteexpiredkeymaterial.html and ct-synchronize-multi-region-key.html
 */
export function serviceEventRecord(event: ServiceEvent): Record<string, unknown> {
  const { accountId, region } = event.account
  return {
    eventVersion: '1.11',
    userIdentity: { accountId, invokedBy },
    eventTime: seconds(event.time ?? new Date()),
    eventSource: 'kms.amazonaws.com',
    eventName: event.eventName,
    awsRegion: region,
    sourceIPAddress: invokedBy,
    userAgent: invokedBy,
    requestParameters: null,
    responseElements: null,
    eventID: randomUUID(),
    readOnly: event.readOnly ?? false,
    resources: keyResources(event.keyArns ?? [], accountId),
    eventType: 'AwsServiceEvent',
    managementEvent: true,
    recipientAccountId: accountId,
    serviceEventDetails: event.details,
    eventCategory: 'Management',
  }
}

export function keyResources(arns: readonly string[], accountId: string): Record<string, string>[] {
  return arns.map((ARN) => ({ accountId, type: 'AWS::KMS::Key', ARN }))
}

/** CloudTrail's times: whole seconds, in UTC. */
export function seconds(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`
}
