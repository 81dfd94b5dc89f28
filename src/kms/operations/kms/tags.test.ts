import {
  CreateKeyCommand,
  type KMSClient,
  ListResourceTagsCommand,
  ScheduleKeyDeletionCommand,
  type Tag,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startTestService } from '../../../../test/support/kms-service.ts'

const tag = (TagKey: string, TagValue = ''): Tag => ({ TagKey, TagValue })
const numbered = (from: number, to: number): Tag[] =>
  Array.from({ length: to - from }, (_, i) => tag(`k${from + i}`, 'v'))

async function newKey(kms: KMSClient): Promise<string> {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  return KeyMetadata?.KeyId ?? assert.fail('no key id')
}

async function tagsOf(kms: KMSClient, KeyId: string): Promise<Tag[] | undefined> {
  return (await kms.send(new ListResourceTagsCommand({ KeyId }))).Tags
}

describe('tags of keys, through the AWS SDK', () => {
  test('are added, replaced and removed, and outlive a restart', async (t) => {
    const service = await startTestService(t)
    const kms = service.kms()
    const KeyId = await newKey(kms)
    assert.deepEqual(await tagsOf(kms, KeyId), [])
    const most = [
      tag('b', 'x'.repeat(256)),
      tag('Straße_.:/=+-@ 1', ''),
      tag('x'.repeat(128), 'y'),
      tag('__proto__', 'z'),
    ]
    await kms.send(new TagResourceCommand({ KeyId, Tags: [tag('a', '1'), ...most] }))
    await kms.send(new TagResourceCommand({ KeyId, Tags: [tag('a', '2'), tag('A', '3')] }))
    await kms.send(new UntagResourceCommand({ KeyId, TagKeys: ['b', 'none'] }))
    await service.reopen()
    assert.deepEqual(await tagsOf(service.kms(), KeyId), [
      tag('A', '3'),
      tag('Straße_.:/=+-@ 1', ''),
      tag('__proto__', 'z'),
      tag('a', '2'),
      tag('x'.repeat(128), 'y'),
    ])
  })

  test('that are none', async (t) => {
    const kms = (await startTestService(t)).kms()
    const KeyId = await newKey(kms)
    const table: [tags: Tag[], exception: string, message: RegExp][] = [
      [[tag('')], 'ValidationException', /at 'tags\.1\.member\.tagKey'.*greater than or equal to 1$/],
      [[tag('a'), tag('x'.repeat(129))], 'ValidationException', /at 'tags\.2\.member\.tagKey'.* to 128$/],
      [[tag('a', 'x'.repeat(257))], 'ValidationException', /at 'tags\.1\.member\.tagValue'.* to 256$/],
      [[tag('a', '1'), tag('a', '1')], 'TagException', /^Duplicate tag keys$/],
      [[tag('aws:a')], 'TagException', /^Tags beginning with aws: are reserved$/],
      [[tag('AWS:a')], 'TagException', /reserved/],
      [[tag('a*')], 'TagException', /^Tags may hold/],
      [[tag('a', '<b>')], 'TagException', /^Tags may hold/],
      [numbered(0, 51), 'TagException', /^Too many tags$/],
    ]
    for (const [Tags, name, message] of table) {
      await assert.rejects(
        kms.send(new TagResourceCommand({ KeyId, Tags })),
        { name, message },
        JSON.stringify(Tags),
      )
      await assert.rejects(kms.send(new CreateKeyCommand({ Tags })), { name, message }, JSON.stringify(Tags))
    }
    await assert.rejects(kms.send(new UntagResourceCommand({ KeyId, TagKeys: ['aws:a'] })), {
      name: 'TagException',
    })
    await assert.rejects(kms.send(new UntagResourceCommand({ KeyId, TagKeys: [''] })), {
      name: 'ValidationException',
    })
    await assert.rejects(kms.send(new UntagResourceCommand({ KeyId, TagKeys: undefined })), {
      name: 'ValidationException',
      message: /Value null at 'tagKeys'/,
    })
    assert.deepEqual(await tagsOf(kms, KeyId), [])
  })

  test('a key has at most 50, old and new together', async (t) => {
    const kms = (await startTestService(t)).kms()
    const KeyId = await newKey(kms)
    await kms.send(new TagResourceCommand({ KeyId, Tags: numbered(0, 50) }))
    const more = new TagResourceCommand({ KeyId, Tags: [tag('more')] })
    await assert.rejects(kms.send(more), { name: 'TagException', message: 'Too many tags' })
    await kms.send(new TagResourceCommand({ KeyId, Tags: numbered(0, 50) }))
    await kms.send(new UntagResourceCommand({ KeyId, TagKeys: ['k7'] }))
    await kms.send(more)
    assert.equal((await tagsOf(kms, KeyId))?.length, 50)
  })

  test('a key that is pending deletion keeps those that it has', async (t) => {
    const kms = (await startTestService(t)).kms()
    const KeyId = await newKey(kms)
    await kms.send(new TagResourceCommand({ KeyId, Tags: [tag('a', '1')] }))
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId }))
    const expected = { name: 'KMSInvalidStateException', message: /is pending deletion\.$/ }
    await assert.rejects(kms.send(new TagResourceCommand({ KeyId, Tags: [tag('b')] })), expected)
    await assert.rejects(kms.send(new UntagResourceCommand({ KeyId, TagKeys: ['a'] })), expected)
    assert.deepEqual(await tagsOf(kms, KeyId), [tag('a', '1')])
  })

  test('policies are told the tags of the request and of the key', async (t) => {
    const service = await startTestService(t)
    const root = service.kms()
    const KeyId = await newKey(root)
    await root.send(new TagResourceCommand({ KeyId, Tags: [tag('team', 'pay')] }))
    const Action = ['kms:TagResource', 'kms:UntagResource', 'kms:ListResourceTags']
    const may = async (name: string, Condition: object): Promise<KMSClient> =>
      service.kms(await service.makeUser(name, { Action, Condition }))
    const denied = { name: 'AccessDeniedException' }
    const give = (...Tags: Tag[]): TagResourceCommand => new TagResourceCommand({ KeyId, Tags })

    const value = await may('value', { StringEquals: { 'aws:RequestTag/Cost': '1' } })
    await value.send(give(tag('cost', '1'), tag('x', 'y')))
    await assert.rejects(value.send(give(tag('cost', '2'))), denied)
    await assert.rejects(value.send(give(tag('cost', '1'), tag('COST', '1'))), denied)
    await assert.rejects(value.send(give(tag('x', '1'))), denied)

    const keys = await may('keys', { 'ForAllValues:StringEquals': { 'aws:TagKeys': ['a', 'b'] } })
    await keys.send(give(tag('a'), tag('b')))
    await assert.rejects(keys.send(give(tag('a'), tag('c'))), denied)
    await keys.send(new UntagResourceCommand({ KeyId, TagKeys: ['a', 'b'] }))
    await assert.rejects(keys.send(new UntagResourceCommand({ KeyId, TagKeys: ['team'] })), denied)

    const team = await may('team', { StringEquals: { 'aws:ResourceTag/team': 'pay' } })
    await team.send(give(tag('t', '1')))
    await team.send(new ListResourceTagsCommand({ KeyId }))
    await assert.rejects(team.send(new ListResourceTagsCommand({ KeyId: await newKey(root) })), denied)
  })

  test('the audit trail has them', async (t) => {
    const service = await startTestService(t)
    const KeyId = await newKey(service.kms())
    await service.kms().send(new TagResourceCommand({ KeyId, Tags: [tag('a', '1')] }))
    const record = service.trail().find(({ eventName }) => eventName === 'TagResource')
    assert.deepEqual(record?.['requestParameters'], { keyId: KeyId, tags: [{ tagKey: 'a', tagValue: '1' }] })
  })
})
