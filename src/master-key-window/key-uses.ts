import { type Event, paginateLookupEvents } from '@aws-sdk/client-cloudtrail'
import { z } from 'zod'
import type { AwsAccess } from '../aws/access.ts'
import { Pacer } from './pacer.ts'

/** One request about a master key, from the audit trail. */
export interface KeyUse {
  /** To the second. */
  readonly time: Date
  /** Its ARN, as far as the trail knows it; of a role's session the session's. */
  readonly principal: string
  /** Of a role's session. */
  readonly role: string | undefined
  readonly accessKeyId: string | undefined
  readonly operation: string
  readonly encryptionContext: Readonly<Record<string, string>>
  readonly source: string
  /** AWS's name for why it was refused; undefined: it was not. */
  readonly errorCode: string | undefined
  readonly requestId: string | undefined
}

export interface UsesOfKey {
  /** The oldest first. */
  readonly uses: readonly KeyUse[]
  /** There were more than are read. */
  readonly isCutShort: boolean
}

/** LookupEvents has a quota of two a second (milliseconds). */
const lookUps = new Pacer(550)
const readAtMost = 2000

const trailEvent = z.object({
  eventTime: z.string(),
  eventName: z.string(),
  sourceIPAddress: z.string().default(''),
  errorCode: z.string().optional(),
  requestID: z.string().optional(),
  userIdentity: z.object({
    type: z.string().default('Unknown'),
    arn: z.string().optional(),
    accessKeyId: z.string().optional(),
    invokedBy: z.string().optional(),
    sessionContext: z
      .object({ sessionIssuer: z.object({ arn: z.string().optional() }).optional() })
      .optional(),
  }),
  requestParameters: z
    .object({ encryptionContext: z.record(z.string(), z.string()).optional().catch(undefined) })
    .nullish()
    .catch(undefined),
})

/** What the trail has about a master key between two times. Throws SR_AWS_…. */
export async function usesOf(
  access: AwsAccess,
  { keyArn, from, to }: { keyArn: string; from: Date; to: Date },
): Promise<UsesOfKey> {
  const input = {
    LookupAttributes: [{ AttributeKey: 'ResourceName' as const, AttributeValue: keyArn }],
    StartTime: from,
    EndTime: to,
  }
  return await access.do('look up in the audit trail who used the master key', async () => {
    const uses: KeyUse[] = []
    await lookUps.turn()
    for await (const { Events = [], NextToken } of paginateLookupEvents(
      { client: access.cloudTrail },
      input,
    )) {
      uses.push(...Events.flatMap(useFrom))
      if (uses.length >= readAtMost) return { uses: uses.reverse(), isCutShort: true }
      if (NextToken !== undefined) await lookUps.turn()
    }
    return { uses: uses.reverse(), isCutShort: false }
  })
}

function useFrom({ CloudTrailEvent }: Event): KeyUse[] {
  const event = parse(CloudTrailEvent)
  if (event === undefined) return []
  const { userIdentity: identity, requestParameters, eventTime, eventName } = event
  return [
    {
      time: new Date(eventTime),
      principal: identity.arn ?? identity.invokedBy ?? identity.type,
      role: identity.sessionContext?.sessionIssuer?.arn,
      accessKeyId: identity.accessKeyId,
      operation: eventName,
      encryptionContext: requestParameters?.encryptionContext ?? {},
      source: event.sourceIPAddress,
      errorCode: event.errorCode,
      requestId: event.requestID,
    },
  ]
}

function parse(text = ''): z.infer<typeof trailEvent> | undefined {
  try {
    return trailEvent.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}
