import { ListKeysCommand } from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { startTestService, type TestService } from '../../test/support/kms-service.ts'
import { until } from '../../test/support/until.ts'

async function send(
  service: TestService,
  headers: Record<string, string>,
  body = '{}',
  path = '/',
): Promise<number> {
  const response = await fetch(service.current.url + path, { method: 'POST', headers, body })
  await response.text()
  return response.status
}

const decrypt = { 'x-amz-target': 'TrentService.Decrypt' }
const requestsOf = (record: Record<string, unknown>): number => {
  const details = record['serviceEventDetails']
  assert.ok(typeof details === 'object' && details !== null && 'requests' in details)
  return Number(details.requests)
}

describe('requests of unknown callers', () => {
  test('are recorded, whatever they are', async (t) => {
    const service = await startTestService(t)
    await send(service, decrypt)
    await send(service, { 'x-amz-target': 'Other.Decrypt' })
    await send(service, { 'x-amz-target': `TrentService.${'A'.repeat(65)}` })
    await send(service, {}, 'Action=Nothing')
    await send(service, {}, 'Action=GetUser&Version=2010-05-08')
    await send(service, decrypt, '{}', '/other')
    assert.equal(await send(service, {}, 'nothing=a'), 400)
    assert.equal(await send(service, {}, 'a&'.repeat(20_000)), 400)
    assert.equal(await send(service, decrypt, 'x'.repeat(1024 * 1024 + 1)), 413)
    await fetch(`${service.current.url}/healthz`)
    const unknown = ['Unknown', 'UnknownOperationException', '127.0.0.1']
    const tooLarge = ['Unknown', 'RequestEntityTooLargeException', '127.0.0.1']
    assert.deepEqual(
      service.trail().map((record) => [record['eventName'], record['errorCode'], record['sourceIPAddress']]),
      [
        ['Decrypt', 'MissingAuthenticationTokenException', '127.0.0.1'],
        unknown,
        unknown,
        unknown,
        ['GetUser', 'MissingAuthenticationToken', '127.0.0.1'],
        unknown,
        ['Unknown', 'MissingAuthenticationTokenException', '127.0.0.1'],
        ['Unknown', 'SerializationException', '127.0.0.1'],
        tooLarge,
      ],
    )
  })

  test('leave short records, however long what they say is', async (t) => {
    const service = await startTestService(t)
    const scope = '20300101/REGION/kms/aws4_request'
    const authorization = (credential: string): string =>
      `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host;x-amz-date;x-amz-target, Signature=${'0'.repeat(64)}`
    const date = { 'x-amz-date': '20300101T000000Z' }
    await send(service, { ...decrypt, 'user-agent': '"'.repeat(15_000) })
    await send(service, {
      ...decrypt,
      ...date,
      authorization: authorization(`AKIDEXAMPLE/${scope.replace('REGION', '"'.repeat(7000))}`),
      'user-agent': '\u00ff'.repeat(7000),
    })
    await send(service, {
      ...decrypt,
      ...date,
      authorization: authorization(`${'A'.repeat(128)}/${scope.replace('REGION', 'us-east-1')}`),
    })
    const records = service.trail()
    assert.equal(records[0]?.['userAgent'], `${'"'.repeat(255)}…`)
    assert.match(
      String(records[1]?.['errorMessage']),
      /^Credential should be scoped to a valid region, not '"{200}/,
    )
    assert.deepEqual(records[2]?.['userIdentity'], { type: 'Unknown', accessKeyId: 'A'.repeat(128) })
    for (const record of records) assert.ok(JSON.stringify(record).length < 1800)
  })

  test('get 10 records a second and a count, and do not keep others from theirs', async (t) => {
    const service = await startTestService(t)
    const kms = service.kms()
    const start = performance.now()
    let sent = 0
    while (performance.now() - start < 1500) {
      await Promise.all(Array.from({ length: 20 }, () => send(service, decrypt)))
      sent += 20
      await kms.send(new ListKeysCommand({}))
    }
    const counted = (): number =>
      service
        .trail()
        .map((record) =>
          record['eventName'] === 'RefusedRequests'
            ? requestsOf(record)
            : record['errorCode'] === undefined
              ? 0
              : 1,
        )
        .reduce((sum, one) => sum + one, 0)
    await until('all are counted', () => counted() === sent, 5000)
    const seconds = Math.ceil((performance.now() - start) / 1000)
    const names = service.trail().map((record) => record['eventName'])
    const count = (name: string): number => names.filter((one) => one === name).length
    assert.ok(sent > 40)
    assert.ok(count('Decrypt') <= 10 * (seconds + 1), `${count('Decrypt')} of ${sent}`)
    assert.ok(count('RefusedRequests') >= 1 && count('RefusedRequests') <= seconds)
    assert.equal(count('ListKeys'), sent / 20)
  })

  test('are counted to the last when the service ends', async (t) => {
    const service = await startTestService(t)
    await Promise.all(Array.from({ length: 30 }, () => send(service, decrypt)))
    await service.reopen()
    const last = service.trail().at(-1) ?? assert.fail()
    assert.equal(last['eventName'], 'RefusedRequests')
    assert.equal(service.trail().length - 1 + requestsOf(last), 30)
  })

  test('cost little, however large they are', async (t) => {
    const service = await startTestService(t)
    const time = async (headers: Record<string, string>, body: string): Promise<number> => {
      const times: number[] = []
      for (let n = 0; n < 5; n++) {
        const start = performance.now()
        await send(service, headers, body)
        times.push(performance.now() - start)
      }
      return Math.min(...times)
    }
    const asJson = await time(decrypt, 'a&'.repeat(500_000))
    assert.ok((await time({}, 'a&'.repeat(500_000))) < 10 * asJson + 20)
    assert.ok((await time({}, 'a&'.repeat(8000))) < 10 * asJson + 20)
    await setTimeout(1100)
    assert.ok(statSync(join(service.directory, 'audit-trail.jsonl')).size < 20_000)
  })
})
