import { CreateKeyCommand, EncryptCommand, type KMSClient } from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'
import { z } from 'zod'
import { type Daemon, startDaemon } from '../../src/cli/demo/daemon.ts'
import { linkOf } from '../../src/kms/audit/chain.ts'
import { rootClient } from '../support/kms-daemon.ts'
import { scratchDirectory } from '../support/scratch.ts'
import { strongroom } from '../support/strongroom.ts'
import { until } from '../support/until.ts'

const aws = '/usr/bin/aws'
const verify = (data: string, ...more: string[]) =>
  strongroom(['kms', 'audit', 'verify', '--data', data, ...more])

function start(directory: string, ...more: string[]): Promise<Daemon> {
  const data = join(directory, 'data')
  const args = ['kms', '--data', data, '--listen', '127.0.0.1:0', '--log-level', 'warn', ...more]
  return startDaemon({ args, directory, name: 'kms' })
}

/** The files of the trail, the oldest first. */
function trailFiles(data: string): string[] {
  const files = readdirSync(data).filter((name) => /^audit-trail\.\d+\.jsonl$/.test(name))
  return [...files.sort(), 'audit-trail.jsonl'].map((name) => join(data, name))
}

/** Takes records over HTTP; what it was sent while it is deaf is as lost as with a process that was killed. */
async function receiver(
  t: TestContext,
): Promise<{ url: string; lines: string[]; deaf: (is: boolean) => void }> {
  const lines: string[] = []
  let isDeaf = false
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      if (isDeaf) {
        request.socket.destroy()
        return
      }
      lines.push(...Buffer.concat(chunks).toString().split('\n').slice(0, -1))
      response.writeHead(204).end()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  return {
    url: `http://127.0.0.1:${port}/`,
    lines,
    deaf(is) {
      isDeaf = is
    },
  }
}

/** Encrypts until the service is killed; adds the id of each request that was answered. */
async function load(kms: KMSClient, answered: string[]): Promise<void> {
  try {
    const { KeyMetadata, $metadata } = await kms.send(new CreateKeyCommand({}))
    answered.push($metadata.requestId ?? '')
    for (;;) {
      const encrypt = new EncryptCommand({ KeyId: KeyMetadata?.KeyId, Plaintext: Buffer.from('x') })
      answered.push((await kms.send(encrypt)).$metadata.requestId ?? '')
    }
  } catch {
    // The connection has ended.
  } finally {
    kms.destroy()
  }
}

test('a service that is killed under load, with files that are rotated and forwarded: no record is lost', async (t) => {
  const directory = scratchDirectory(t)
  const data = join(directory, 'data')
  const { url, lines, deaf } = await receiver(t)
  const options = ['--audit-max-size', '64K', '--audit-forward', url]
  const answered: string[] = []
  let daemon = await start(directory, ...options)
  t.after(() => daemon.stop('SIGKILL'))
  for (let round = 0; round < 6; round++) {
    deaf(round % 2 === 1)
    const loads = Array.from({ length: 8 }, () => load(rootClient(daemon, data), answered))
    await setTimeout(randomInt(300, 900))
    const running = await verify(data)
    assert.equal(running.code, 0, `while it runs: ${running.stdout}${running.stderr}`)
    await daemon.stop('SIGKILL')
    await Promise.all(loads)
    daemon = await start(directory, ...options)
  }
  deaf(false)
  const trail = trailFiles(data)
    .map((file) => readFileSync(file, 'utf8'))
    .join('')
  await until('all records were forwarded', () => {
    const last = linkOf(Buffer.from(lines.at(-1) ?? ''))?.sequence ?? 0
    return last === trail.split('\n').length - 1
  })
  await daemon.stop()
  const stopped = await verify(data)
  assert.equal(stopped.code, 0, stopped.stdout + stopped.stderr)
  assert.ok(trailFiles(data).length > 3, `${trailFiles(data).length} files`)
  assert.ok(answered.length > 200, `${answered.length} answers`)
  for (const id of answered) assert.ok(trail.includes(`"requestID":"${id}"`), `no record of ${id}`)
  const numbers = lines.map((line) => linkOf(Buffer.from(line))?.sequence ?? 0)
  let seen = 0
  for (const number of numbers) {
    assert.ok(number <= seen + 1, `record ${number} came after ${seen}`)
    seen = Math.max(seen, number)
  }
})

test('strongroom kms audit verify tells what was done to a trail, with the data directory or with copies', async (t) => {
  const directory = scratchDirectory(t)
  const data = join(directory, 'data')
  const daemon = await start(directory)
  t.after(() => daemon.stop('SIGKILL'))
  const kms = rootClient(daemon, data)
  for (let n = 0; n < 3; n++) await kms.send(new CreateKeyCommand({}))
  kms.destroy()
  const file = join(data, 'audit-trail.jsonl')
  const whole = await verify(data)
  assert.equal(whole.code, 0, whole.stderr)
  assert.match(
    whole.stdout,
    /^3 records in 1 file\nfirst: record 1 of \S+Z\nlast: {2}record 3 of \S+Z, hash [0-9a-f]{64}\nwhole: every record/,
  )
  const copy = await strongroom(['kms', 'audit', 'verify', file])
  assert.equal(copy.code, 0, copy.stderr)
  assert.match(copy.stdout, /whole as a chain of hashes; checked without the key/)
  await daemon.stop()

  const bytes = readFileSync(file, 'latin1')
  writeFileSync(file, bytes.replace(/"readOnly":false/, '"readOnly":true '), 'latin1')
  const changed = await verify(data)
  assert.equal(changed.code, 1)
  assert.match(changed.stdout, /broken: audit-trail.jsonl, line 1: was changed/)
  const asJson = await verify(data, '--json')
  assert.equal(asJson.code, 1)
  const verdict = z
    .looseObject({ breaks: z.array(z.looseObject({})), keyed: z.boolean() })
    .parse(JSON.parse(asJson.stdout))
  assert.deepEqual([verdict.breaks.length, verdict.keyed], [1, true])
  assert.equal((await strongroom(['kms', 'audit', 'verify', file])).code, 1)
  writeFileSync(file, bytes.split('\n').slice(0, 2).join('\n') + '\n', 'latin1')
  assert.match((await verify(data)).stdout, /broken: audit-trail.jsonl: record 3 is missing at its end/)
  writeFileSync(file, bytes, 'latin1')
  assert.equal((await verify(data)).code, 0)

  const usage: [args: string[], message: RegExp][] = [
    [['kms', 'audit'], /a verb is missing/],
    [['kms', 'audit', 'verify'], /either --data DIR or files/],
    [['kms', 'audit', 'verify', '--data', data, file], /either --data DIR or files/],
  ]
  for (const [args, message] of usage) {
    const { code, stderr } = await strongroom(args)
    assert.equal(code, 2)
    assert.match(stderr, message)
  }
  const missing = await verify(join(directory, 'nowhere'))
  assert.equal(missing.code, 1)
  assert.match(missing.stderr, /SR_KMS_DATABASE_MISSING/)
  assert.equal(existsSync(join(directory, 'nowhere')), false)
})

const page = z.object({
  Events: z.array(z.looseObject({ EventName: z.string(), CloudTrailEvent: z.string() })),
})

test('aws cloudtrail lookup-events', { skip: existsSync(aws) ? false : 'there is no AWS CLI' }, async (t) => {
  const directory = scratchDirectory(t)
  const data = join(directory, 'data')
  const daemon = await start(directory, '--audit-max-size', '64K')
  t.after(() => daemon.stop('SIGKILL'))
  const kms = rootClient(daemon, data)
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  for (let n = 0; n < 120; n++) {
    await kms.send(new EncryptCommand({ KeyId: KeyMetadata?.KeyId, Plaintext: Buffer.from('x') }))
  }
  kms.destroy()
  const lookUp = async (...args: string[]) => {
    const flags = ['--endpoint-url', daemon.url, '--region', 'us-east-1', '--output', 'json']
    const { stdout } = await promisify(execFile)(aws, [...flags, 'cloudtrail', 'lookup-events', ...args], {
      env: { PATH: '/usr/bin:/bin', AWS_SHARED_CREDENTIALS_FILE: join(data, 'root-access-key') },
    })
    return page.parse(JSON.parse(stdout)).Events
  }
  const attribute = (key: string, value: string) => [
    '--lookup-attributes',
    `AttributeKey=${key},AttributeValue=${value}`,
  ]
  // The CLI follows the pages.
  assert.equal((await lookUp(...attribute('EventName', 'Encrypt'))).length, 120)
  assert.equal(
    (await lookUp(...attribute('ResourceName', KeyMetadata?.Arn ?? ''), '--max-items', '5')).length,
    5,
  )
  const [created] = await lookUp(...attribute('EventName', 'CreateKey'), '--start-time', '2020-01-01')
  const record = z
    .looseObject({ userIdentity: z.looseObject({}) })
    .parse(JSON.parse(created?.CloudTrailEvent ?? ''))
  assert.equal(record.userIdentity['arn'], 'arn:aws:iam::111122223333:root')
  assert.deepEqual(await lookUp('--end-time', '2020-01-01'), [])
  await assert.rejects(
    lookUp(
      '--lookup-attributes',
      'AttributeKey=EventName,AttributeValue=a',
      'AttributeKey=EventName,AttributeValue=b',
    ),
    /InvalidLookupAttributesException/,
  )
})
