import {
  CloudTrailClient,
  type Event,
  LookupEventsCommand,
  type LookupEventsCommandInput,
} from '@aws-sdk/client-cloudtrail'
import { CreateUserCommand } from '@aws-sdk/client-iam'
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DescribeKeyCommand,
  ListKeysCommand,
} from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { z } from 'zod'
import { startTestService, type TestService } from '../../../../test/support/kms-service.ts'

const names = (events: readonly Event[]): (string | undefined)[] => events.map(({ EventName }) => EventName)

async function lookUpAll(trail: CloudTrailClient, input: LookupEventsCommandInput): Promise<Event[]> {
  const events: Event[] = []
  let NextToken: string | undefined
  do {
    const page = await trail.send(new LookupEventsCommand({ ...input, NextToken }))
    events.push(...(page.Events ?? []))
    NextToken = page.NextToken
  } while (NextToken !== undefined)
  return events
}

/** Each lookup is a record too, and these tests look for others. */
const withoutLookups = (events: readonly Event[]): Event[] =>
  events.filter(({ EventName }) => EventName !== 'LookupEvents')

async function start(t: TestContext): Promise<{ service: TestService; trail: CloudTrailClient }> {
  // Files of some ten records.
  const service = await startTestService(t, { audit: { maxSize: 12_000 }, regions: ['eu-west-1'] })
  return { service, trail: new CloudTrailClient(service.clientConfig()) }
}

test('every attribute finds what it names, the newest first', async (t) => {
  const { service, trail } = await start(t)
  const kms = service.kms()
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  await kms.send(new CreateAliasCommand({ AliasName: 'alias/a', TargetKeyId: KeyMetadata?.KeyId }))
  await kms.send(new DescribeKeyCommand({ KeyId: 'alias/a' }))
  await service.iam().send(new CreateUserCommand({ UserName: 'a"b'.replace('"', '+') }))
  const all = withoutLookups(await lookUpAll(trail, {}))
  assert.deepEqual(names(all), ['CreateUser', 'DescribeKey', 'CreateAlias', 'CreateKey'])
  const { accessKeyId } = service.clientConfig().credentials
  const table: [
    key: NonNullable<LookupEventsCommandInput['LookupAttributes']>[0]['AttributeKey'],
    value: string,
    found: string[],
  ][] = [
    ['EventId', all[2]?.EventId ?? '', ['CreateAlias']],
    ['EventName', 'CreateKey', ['CreateKey']],
    ['EventName', 'Create', []],
    ['ReadOnly', 'true', ['DescribeKey']],
    ['ReadOnly', 'false', ['CreateUser', 'CreateAlias', 'CreateKey']],
    ['Username', 'root', ['CreateUser', 'DescribeKey', 'CreateAlias', 'CreateKey']],
    ['Username', 'nobody', []],
    ['ResourceType', 'AWS::KMS::Key', ['DescribeKey', 'CreateAlias', 'CreateKey']],
    ['ResourceType', 'AWS::IAM::User', ['CreateUser']],
    ['ResourceName', KeyMetadata?.Arn ?? '', ['DescribeKey', 'CreateAlias', 'CreateKey']],
    ['ResourceName', 'a+b', ['CreateUser']],
    ['EventSource', 'iam.amazonaws.com', ['CreateUser']],
    ['AccessKeyId', accessKeyId, ['CreateUser', 'DescribeKey', 'CreateAlias', 'CreateKey']],
    ['AccessKeyId', 'AKIAIOSFODNN7EXAMPLE', []],
  ]
  for (const [AttributeKey, AttributeValue, found] of table) {
    const LookupAttributes = [{ AttributeKey, AttributeValue }]
    const events = withoutLookups(await lookUpAll(trail, { LookupAttributes }))
    assert.deepEqual(names(events), found, `${String(AttributeKey)} ${AttributeValue}`)
  }
  const [, described] = all
  assert.ok(described)
  assert.deepEqual(
    { ...described, CloudTrailEvent: undefined },
    {
      EventId: described.EventId,
      EventName: 'DescribeKey',
      ReadOnly: 'true',
      AccessKeyId: accessKeyId,
      EventTime: described.EventTime,
      EventSource: 'kms.amazonaws.com',
      Username: 'root',
      Resources: [{ ResourceType: 'AWS::KMS::Key', ResourceName: KeyMetadata?.Arn }],
      CloudTrailEvent: undefined,
    },
  )
  const record = z.record(z.string(), z.unknown()).parse(JSON.parse(described.CloudTrailEvent ?? ''))
  assert.deepEqual(
    [record['eventID'], record['requestParameters'], record['chain']],
    [described.EventId, { keyId: 'alias/a' }, undefined],
  )
})

test('pages lead through all files, whatever is written meanwhile, and each event comes once', async (t) => {
  const { service, trail } = await start(t)
  const kms = service.kms()
  for (let n = 0; n < 40; n++) await kms.send(new ListKeysCommand({ Limit: n + 1 }))
  const LookupAttributes = [{ AttributeKey: 'EventName' as const, AttributeValue: 'ListKeys' }]
  const limits: unknown[] = []
  let NextToken: string | undefined
  do {
    const page = await trail.send(new LookupEventsCommand({ LookupAttributes, MaxResults: 7, NextToken }))
    assert.ok((page.Events ?? []).length <= 7)
    for (const { CloudTrailEvent = '' } of page.Events ?? []) {
      limits.push(/"limit":(\d+)/.exec(CloudTrailEvent)?.[1])
    }
    await kms.send(new ListKeysCommand({ Limit: 1000 }))
    NextToken = page.NextToken
  } while (NextToken !== undefined)
  assert.deepEqual(
    limits,
    Array.from({ length: 40 }, (_, index) => String(40 - index)),
  )
})

test('times bound what is found, and regions have their own events', async (t) => {
  const { service, trail } = await start(t)
  await service.kms().send(new ListKeysCommand({}))
  const now = Date.now()
  const find = async (from: number, to: number) =>
    names(
      withoutLookups(
        await lookUpAll(trail, { StartTime: new Date(now + from), EndTime: new Date(now + to) }),
      ),
    )
  assert.deepEqual(await find(-60_000, 60_000), ['ListKeys'])
  assert.deepEqual(await find(-60_000, -30_000), [])
  assert.deepEqual(await find(30_000, 60_000), [])
  assert.deepEqual(await find(7_200_000, 7_300_000), [])
  assert.deepEqual(await find(-7_300_000, -7_200_000), [])
  const elsewhere = new CloudTrailClient({ ...service.clientConfig(), region: 'eu-west-1' })
  assert.deepEqual(withoutLookups(await lookUpAll(elsewhere, {})), [])
  const LookupAttributes = [{ AttributeKey: 'EventName' as const, AttributeValue: 'ListKeys' }]
  assert.deepEqual(await lookUpAll(elsewhere, { LookupAttributes }), [])
})

test('what is wrong in a request is told as Amazon does', async (t) => {
  const service = await startTestService(t)
  const trail = new CloudTrailClient(service.clientConfig())
  for (let n = 0; n < 3; n++) await service.kms().send(new ListKeysCommand({}))
  const { NextToken } = await trail.send(new LookupEventsCommand({ MaxResults: 1 }))
  assert.ok(NextToken)
  const attribute = { AttributeKey: 'EventName' as const, AttributeValue: 'ListKeys' }
  const table: [input: LookupEventsCommandInput, name: string][] = [
    [{ MaxResults: 0 }, 'InvalidMaxResultsException'],
    [{ MaxResults: 51 }, 'InvalidMaxResultsException'],
    [{ LookupAttributes: [attribute, attribute] }, 'InvalidLookupAttributesException'],
    [{ LookupAttributes: [{ ...attribute, AttributeValue: '' }] }, 'InvalidLookupAttributesException'],
    [
      { LookupAttributes: [{ ...attribute, AttributeValue: 'x'.repeat(2001) }] },
      'InvalidLookupAttributesException',
    ],
    [{ StartTime: new Date(2000), EndTime: new Date(1000) }, 'InvalidTimeRangeException'],
    [{ NextToken: 'x' }, 'InvalidNextTokenException'],
    [{ NextToken, LookupAttributes: [attribute] }, 'InvalidNextTokenException'],
    [{ NextToken: tokenFor(NextToken, 999) }, 'InvalidNextTokenException'],
  ]
  for (const [input, name] of table) {
    await assert.rejects(
      trail.send(new LookupEventsCommand(input)),
      { name, $fault: 'client' },
      JSON.stringify(input),
    )
  }
  assert.deepEqual((await trail.send(new LookupEventsCommand({ EventCategory: 'insight' }))).Events, [])
  const record = service.trail().findLast(({ errorCode }) => errorCode === 'InvalidMaxResultsException')
  assert.deepEqual(record?.['requestParameters'], { maxResults: 51 })
})

/** The same token, for a file that does not exist. */
function tokenFor(token: string, first: number): string {
  const content = z.looseObject({}).parse(JSON.parse(Buffer.from(token, 'base64url').toString()))
  return Buffer.from(JSON.stringify({ ...content, first })).toString('base64url')
}

test('of a hundred searches at once some have to come again, and none fails otherwise', async (t) => {
  const { service, trail } = await start(t)
  for (let n = 0; n < 20; n++) await service.kms().send(new ListKeysCommand({}))
  const searches = Array.from({ length: 100 }, () => trail.send(new LookupEventsCommand({})))
  const reasons = (await Promise.allSettled(searches)).flatMap((one) =>
    one.status === 'rejected' && one.reason instanceof Error ? [one.reason.name] : [],
  )
  assert.deepEqual(
    [...new Set(reasons)].filter((name) => name !== 'ThrottlingException'),
    [],
  )
  assert.notEqual((await lookUpAll(trail, {})).length, 0)
})

test('whoever has no permission finds nothing', async (t) => {
  const { service } = await start(t)
  const trail = new CloudTrailClient(service.clientConfig(await service.makeUser('mariadb')))
  await assert.rejects(trail.send(new LookupEventsCommand({})), {
    name: 'AccessDeniedException',
    message: /is not authorized to perform: cloudtrail:LookupEvents/,
  })
})
