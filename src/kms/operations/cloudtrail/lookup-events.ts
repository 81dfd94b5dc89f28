import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { TrailPosition, TrailQuery, TrailRecord } from '../../audit/lookup.ts'
import { AwsException } from '../../protocol/exceptions.ts'
import type { Call } from '../call.ts'
import { operation } from '../operation.ts'
import { resourcesOf, userNameOf } from './event-structure.ts'

const input = z.object({
  LookupAttributes: z
    .array(z.looseObject({ AttributeKey: z.string(), AttributeValue: z.string() }))
    .optional(),
  StartTime: z.number().optional(),
  EndTime: z.number().optional(),
  EventCategory: z.string().optional(),
  MaxResults: z.number().optional(),
  NextToken: z.string().optional(),
})
type Input = z.infer<typeof input>

/** What an attribute is compared with, and the text by which a line shows that it may have it. */
interface Attribute {
  readonly valuesOf: (record: TrailRecord) => readonly (string | undefined)[]
  readonly needle: (value: string) => string | undefined
}

const quoted = (value: string): string => JSON.stringify(value).slice(1, -1)
const attributes: ReadonlyMap<string, Attribute> = new Map([
  ['EventId', { valuesOf: ({ eventID }) => [eventID], needle: quoted }],
  [
    'EventName',
    { valuesOf: ({ eventName }) => [eventName], needle: (value) => `"eventName":"${quoted(value)}"` },
  ],
  [
    'ReadOnly',
    { valuesOf: ({ readOnly }) => [String(readOnly)], needle: (value) => `"readOnly":${quoted(value)}` },
  ],
  [
    'Username',
    {
      valuesOf: (record) => [userNameOf(record)],
      needle: (value) => (value === 'root' ? '"Root"' : quoted(value)),
    },
  ],
  [
    'ResourceType',
    { valuesOf: (record) => resourcesOf(record).map((one) => one.ResourceType), needle: () => undefined },
  ],
  [
    'ResourceName',
    { valuesOf: (record) => resourcesOf(record).map((one) => one.ResourceName), needle: quoted },
  ],
  [
    'EventSource',
    { valuesOf: ({ eventSource }) => [eventSource], needle: (value) => `"eventSource":"${quoted(value)}"` },
  ],
  ['AccessKeyId', { valuesOf: ({ userIdentity }) => [userIdentity.accessKeyId], needle: quoted }],
])

const most = 50

/**
 * Searches the audit trail, all of it that is kept, for what happened in the region. The newest comes first, by the
 * order in which the trail has it. One call reads a bounded part of the trail: it may find nothing and yet have a
 * NextToken.
 * https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
 */
export const lookupEvents = operation({
  name: 'LookupEvents',
  readOnly: true,
  input,
  find: (members, { state }) => ({ query: queryOf(members, state.account.region), from: readToken(members) }),
  permissions: () => [{ action: 'cloudtrail:LookupEvents' }],
  run: (members, { query, from }, call) => search(members, { query, from }, call),
})

async function search(
  members: Input,
  { query, from }: { query: TrailQuery; from: TrailPosition | undefined },
  { state }: Call,
): Promise<object> {
  // There are no others of the category "insight".
  if (members.EventCategory !== undefined) return { Events: [] }
  if (state.trailLookup.isBusy) throw new AwsException('ThrottlingException', 'Rate exceeded')
  const findings = await state.trailLookup.search(query, from)
  if (findings === undefined)
    throw new AwsException('InvalidNextTokenException', 'The token is not valid any more.')
  const { found, next } = findings
  return {
    Events: found.map(({ record, text }) => eventStructure(record, text)),
    ...(next === undefined ? {} : { NextToken: writeToken(next, members) }),
  }
}

function eventStructure(record: TrailRecord, text: string): object {
  const { eventID, eventName, readOnly, userIdentity, eventTime, eventSource } = record
  const userName = userNameOf(record)
  return {
    EventId: eventID,
    EventName: eventName,
    ReadOnly: String(readOnly),
    ...(userIdentity.accessKeyId === undefined ? {} : { AccessKeyId: userIdentity.accessKeyId }),
    EventTime: Date.parse(eventTime) / 1000,
    EventSource: eventSource,
    ...(userName === undefined ? {} : { Username: userName }),
    Resources: resourcesOf(record),
    CloudTrailEvent: text,
  }
}

function queryOf(members: Input, region: string): TrailQuery {
  const { LookupAttributes = [], StartTime, EndTime, EventCategory, MaxResults = most } = members
  if (!Number.isInteger(MaxResults) || MaxResults < 1 || MaxResults > most) {
    throw new AwsException('InvalidMaxResultsException', `MaxResults is a whole number from 1 to ${most}.`)
  }
  if (EventCategory !== undefined && EventCategory !== 'insight') {
    throw new AwsException(
      'InvalidEventCategoryException',
      'The only event category that can be named is insight.',
    )
  }
  // Records have whole seconds.
  const start = StartTime === undefined ? Number.NEGATIVE_INFINITY : Math.floor(StartTime) * 1000
  const end = EndTime === undefined ? Number.POSITIVE_INFINITY : EndTime * 1000
  if (start > end) {
    throw new AwsException('InvalidTimeRangeException', 'The start time is after the end time.')
  }
  const [sought, ...more] = LookupAttributes
  if (more.length > 0) throw invalidAttributes('The list of lookup attributes has one item at most.')
  const isOfRegion = ({ awsRegion }: TrailRecord): boolean => awsRegion === region
  const range = { start, end, limit: MaxResults }
  if (sought === undefined) return { ...range, matches: isOfRegion, needle: undefined }
  const { AttributeKey, AttributeValue } = sought
  const attribute = attributes.get(AttributeKey)
  if (attribute === undefined)
    throw invalidAttributes(`The attribute key is one of ${[...attributes.keys()].join(', ')}.`)
  if (AttributeValue.length < 1 || AttributeValue.length > 2000) {
    throw invalidAttributes('An attribute value has 1 to 2000 characters.')
  }
  return {
    ...range,
    matches: (record) => isOfRegion(record) && attribute.valuesOf(record).includes(AttributeValue),
    needle: attribute.needle(AttributeValue),
  }
}

function invalidAttributes(message: string): AwsException {
  return new AwsException('InvalidLookupAttributesException', message)
}

const token = z.object({ first: z.int().nonnegative(), end: z.int().nonnegative(), of: z.string() })

/** A place in the trail, which tells nothing that the caller may not know, and what the search was for. */
function writeToken({ first, end }: TrailPosition, members: Input): string {
  return Buffer.from(JSON.stringify({ first, end, of: digestOf(members) })).toString('base64url')
}

function readToken(members: Input): TrailPosition | undefined {
  if (members.NextToken === undefined) return undefined
  const { success, data } = token.safeParse(parsed(Buffer.from(members.NextToken, 'base64url').toString()))
  if (success && data.of === digestOf(members)) return data
  throw new AwsException(
    'InvalidNextTokenException',
    'The token is not valid, or was given for a request with other parameters.',
  )
}

function digestOf({ LookupAttributes = [], StartTime, EndTime }: Input): string {
  const pairs = LookupAttributes.map(({ AttributeKey, AttributeValue }) => [AttributeKey, AttributeValue])
  return createHash('sha256')
    .update(JSON.stringify([pairs, StartTime, EndTime]))
    .digest('base64url')
    .slice(0, 16)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
