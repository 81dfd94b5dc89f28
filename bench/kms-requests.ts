import { execFileSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { z } from 'zod'
import { startDaemon } from '../src/cli/demo/daemon.ts'
import { readRootAccessKey } from '../test/support/kms-service.ts'
import { sign } from '../test/support/signer.ts'
import { portAnswer } from './agent.ts'
import { type Finding, rounded } from './report.ts'
import { loadAnswer } from './requests.ts'
import { median } from './statistics.ts'
import { Worker } from './worker.ts'
import type { Workplace } from './workplace.ts'

const rounds = 5
const requestsPerRound = 20_000
const concurrency = 32
/** Requests are signed before the measurement, each once: to sign takes longer than to answer. */
const signedRequests = 500
const aims: Readonly<Record<string, number>> = { Decrypt: 6000, GenerateDataKeyWithoutPlaintext: 6000 }
const p99Aim = 10

export interface Target {
  readonly url: string
  readonly dataDirectory: string
}

interface Question {
  readonly operation: string
  readonly members: object
}

type Load = z.infer<typeof loadAnswer>

/**
 * One operation after the other, signed and audited, on one processor: against a bare `node:http` server that sends the
 * same bytes, and against the same service without the check of signatures.
 */
export async function kmsRequests(place: Workplace): Promise<Finding[]> {
  const data = place.folder('kms')
  const kms = await startKms(place, data)
  const target = { url: kms.url, dataDirectory: data }
  const questions = await questionsFor(target)
  const load = await Worker.start(place, 'signed-load.ts')
  pin(load.pid, 1)
  const findings: Finding[] = []
  for (const question of questions) {
    const bare = await Worker.start(place, 'bare-server.ts')
    pin(bare.pid, 0)
    const { contentType, body } = await askOnce(target, question)
    const { port } = await bare.ask({ contentType, body: body.toString('base64') }, portAnswer)
    const requests = await signedFor(target, question)
    findings.push(...(await compareWithBare(load, { ours: portOf(kms.url), bare: port, requests }, question)))
    await bare.stop()
  }
  await kms.stop()
  findings.push(...(await withoutSignatures(place, { load, data, questions })))
  return findings
}

export async function startKms(place: Workplace, data: string): ReturnType<typeof startDaemon> {
  const args = ['kms', '--data', data, '--listen', '127.0.0.1:0', '--log-level', 'warn']
  const daemon = await place.startDaemon({
    args,
    directory: place.directory,
    name: `kms-${crypto.randomUUID()}`,
  })
  pin(daemon.pid, 0)
  return daemon
}

/** On one processor of its own, where there are two. */
export function pin(pid: number, processor: number): void {
  if (availableParallelism() < 2) return
  execFileSync('taskset', ['-acp', String(processor), String(pid)], { stdio: 'ignore' })
}

async function compareWithBare(
  load: Worker,
  { ours, bare, requests }: { ours: number; bare: number; requests: readonly string[] },
  { operation }: Question,
): Promise<Finding[]> {
  const measure = (port: number): Promise<Load> =>
    load.ask({ port, requests, count: requestsPerRound, concurrency }, loadAnswer)
  const pairs: { ours: Load; bare: Load }[] = []
  for (let round = -1; round < rounds; round++) {
    const pair = { ours: await measure(ours), bare: await measure(bare) }
    if (round >= 0) pairs.push(pair)
  }
  const of = (side: 'ours' | 'bare', value: (one: Load) => number): number =>
    median(pairs.map((pair) => value(pair[side])))
  const rate = of('ours', (one) => one.rate)
  const halves: Load[] = []
  for (let round = 0; round < rounds; round++) {
    const question = { port: ours, requests, count: Math.round(rate), concurrency, rate: rate / 2 }
    halves.push(await load.ask(question, loadAnswer))
  }
  const half = {
    p50: median(halves.map(({ p50 }) => p50)),
    p99: median(halves.map(({ p99 }) => p99)),
  }
  const aim = aims[operation]
  return [
    {
      what: `${operation}: requests per second`,
      ours: `${rounded(rate)} /s`,
      against: `${rounded(of('bare', (one) => one.rate))} /s bare`,
      ratio: median(pairs.map((pair) => pair.ours.rate / pair.bare.rate)).toFixed(2),
      ...(aim === undefined ? {} : { aim: `≥ ${aim} /s`, met: rate >= aim }),
    },
    {
      what: `${operation}: p50, p99 at full load`,
      ours: `${rounded(of('ours', (one) => one.p50))}, ${rounded(of('ours', (one) => one.p99))} ms`,
      against: `${rounded(of('bare', (one) => one.p50))}, ${rounded(of('bare', (one) => one.p99))} ms bare`,
    },
    {
      what: `${operation}: p50, p99 at half of that`,
      ours: `${rounded(half.p50)}, ${rounded(half.p99)} ms`,
      ...(aim === undefined ? {} : { aim: `p99 < ${p99Aim} ms`, met: half.p99 < p99Aim }),
    },
  ]
}

/** From the checkout, both of them: the module that checks is replaced there. */
async function withoutSignatures(
  place: Workplace,
  { load, data, questions }: { load: Worker; data: string; questions: readonly Question[] },
): Promise<Finding[]> {
  const rates = new Map<string, number[]>()
  for (const program of ['trusting-kms.ts', 'checking-kms.ts']) {
    const worker = await Worker.start(place, program)
    pin(worker.pid, 0)
    const { port } = await worker.ask({ dataDirectory: data }, portAnswer)
    for (const question of questions) {
      const requests = await signedFor({ url: `http://127.0.0.1:${port}`, dataDirectory: data }, question)
      const measured: number[] = []
      for (let round = -1; round < rounds; round++) {
        const { rate } = await load.ask({ port, requests, count: requestsPerRound, concurrency }, loadAnswer)
        if (round >= 0) measured.push(rate)
      }
      rates.set(question.operation, [...(rates.get(question.operation) ?? []), median(measured)])
    }
    await worker.stop()
  }
  return [...rates].map(([operation, [trusting = Number.NaN, checking = Number.NaN]]) => ({
    what: `${operation}: with the check of signatures, against without`,
    ours: `${rounded(checking)} /s`,
    against: `${rounded(trusting)} /s`,
    ratio: (checking / trusting).toFixed(2),
  }))
}

async function questionsFor(target: Target): Promise<Question[]> {
  const { KeyMetadata } = z
    .object({ KeyMetadata: z.object({ KeyId: z.string() }) })
    .parse(await answerOf(target, { operation: 'CreateKey', members: {} }))
  const { KeyId } = KeyMetadata
  const EncryptionContext = { 'strongroom-keyring': 'a'.repeat(32), 'strongroom-key-id': '1' }
  const Plaintext = Buffer.alloc(32, 7).toString('base64')
  const encrypt = { operation: 'Encrypt', members: { KeyId, Plaintext, EncryptionContext } }
  const { CiphertextBlob } = z.object({ CiphertextBlob: z.string() }).parse(await answerOf(target, encrypt))
  const dataKey = { KeyId, KeySpec: 'AES_256', EncryptionContext }
  return [
    { operation: 'Decrypt', members: { CiphertextBlob, KeyId, EncryptionContext } },
    { operation: 'GenerateDataKeyWithoutPlaintext', members: dataKey },
    { operation: 'GenerateDataKey', members: dataKey },
    encrypt,
    {
      operation: 'ReEncrypt',
      members: { CiphertextBlob, SourceEncryptionContext: EncryptionContext, DestinationKeyId: KeyId },
    },
    { operation: 'DescribeKey', members: { KeyId } },
  ]
}

/** As bytes of HTTP, in base64. */
export async function signedFor(
  target: Target,
  question: Question,
  count = signedRequests,
): Promise<string[]> {
  const requests: string[] = []
  for (let n = 0; n < count; n++) {
    const { headers, body } = await signed(target, question)
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
    const head = ['POST / HTTP/1.1', ...lines, `content-length: ${body.length}`, '', ''].join('\r\n')
    requests.push(Buffer.concat([Buffer.from(head, 'latin1'), body]).toString('base64'))
  }
  return requests
}

async function askOnce(target: Target, question: Question): Promise<{ contentType: string; body: Buffer }> {
  const { headers, body } = await signed(target, question)
  const answer = await fetch(target.url, { method: 'POST', headers, body })
  const bytes = Buffer.from(await answer.arrayBuffer())
  if (answer.status !== 200) throw new Error(`${question.operation}: ${bytes.toString()}`)
  return { contentType: answer.headers.get('content-type') ?? '', body: bytes }
}

export async function answerOf(target: Target, question: Question): Promise<unknown> {
  return JSON.parse((await askOnce(target, question)).body.toString())
}

async function signed(
  { url, dataDirectory }: Target,
  { operation, members }: Question,
): Promise<{ headers: Readonly<Record<string, string>>; body: Buffer<ArrayBuffer> }> {
  const body = Buffer.from(JSON.stringify(members))
  const headers = {
    host: new URL(url).host,
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': `TrentService.${operation}`,
  }
  const credentials = readRootAccessKey(dataDirectory)
  const request = { method: 'POST', path: '/', query: {}, headers, body }
  const { headers: all } = await sign(request, {
    credentials,
    service: 'kms',
    region: 'us-east-1',
    at: new Date(),
  })
  return { headers: all, body }
}

function portOf(url: string): number {
  return Number(new URL(url).port)
}
