import { z } from 'zod'
import { keyPath, portAnswer, startAgent, startStubKms } from './agent.ts'
import { cpuTime } from './proc.ts'
import { type Finding, rounded } from './report.ts'
import { median } from './statistics.ts'
import { writeStoredKeys } from './stored-keys.ts'
import { Worker } from './worker.ts'
import type { Workplace } from './workplace.ts'

const rounds = 11
/**
 * Linux holds each closed connection for a minute, and opens new ones the slower the more it holds: above some fifty
 * thousand that is what would be measured. For the same reason a second run should wait for a minute.
 */
const requestsPerRound = { keepAlive: 20_000, connectionEach: 2000 }
const concurrency = 8
const storedKeys = 100
const aim = 0.8

interface Server {
  readonly pid: number
  readonly port: number
}

interface Sample extends z.infer<typeof loadAnswer> {
  /** Milliseconds of the server's processor time for one request. */
  readonly cpu: number
  /** The part of the time in which the server, and the load generator, had a processor. */
  readonly serverBusy: number
  readonly loadBusy: number
}

export const loadAnswer = z.object({ rate: z.number(), p50: z.number(), p99: z.number() })

/** A key in memory, through the agent's Vault listener, against a bare `node:http` server that sends the same bytes. */
export async function requests(place: Workplace): Promise<Finding[]> {
  const stored = place.folder('stored')
  await writeStoredKeys({ directory: stored, keys: storedKeys })
  const agent = await startAgent(place, stored, await startStubKms(place, 0))
  const bareServer = await Worker.start(place, 'bare-server.ts')
  const load = await Worker.start(place, 'load.ts')
  const answer = await askOnce(agent.port, agent.token)
  const bare = { pid: bareServer.pid, port: (await bareServer.ask(answer, portAnswer)).port }
  const same = await askOnce(bare.port, agent.token)
  if (same.headers !== answer.headers || same.body !== answer.body)
    throw new Error('the two servers do not send the same')

  const findings: Finding[] = []
  for (const keepAlive of [false, true]) {
    const measure = (server: Server) => sample(load, server, { token: agent.token, keepAlive })
    const pairs: { ours: Sample; theirs: Sample }[] = []
    for (let round = -1; round < rounds; round++) {
      // Each goes first in every other round; the first round only warms up.
      const first = await measure(round % 2 === 0 ? agent : bare)
      const second = await measure(round % 2 === 0 ? bare : agent)
      const pair = round % 2 === 0 ? { ours: first, theirs: second } : { ours: second, theirs: first }
      if (round >= 0) pairs.push(pair)
    }
    findings.push(...findingsOf(pairs, keepAlive ? 'keep-alive' : 'a connection each'))
  }
  return findings
}

async function sample(
  load: Worker,
  { pid, port }: Server,
  client: { token: string; keepAlive: boolean },
): Promise<Sample> {
  const before = { server: cpuTime(pid), load: cpuTime(load.pid) }
  const count = client.keepAlive ? requestsPerRound.keepAlive : requestsPerRound.connectionEach
  const question = { port, paths: [keyPath(1)], count, concurrency, ...client }
  const answer = await load.ask(question, loadAnswer)
  const milliseconds = (1000 * count) / answer.rate
  const server = cpuTime(pid) - before.server
  return {
    ...answer,
    cpu: server / count,
    serverBusy: server / milliseconds,
    loadBusy: (cpuTime(load.pid) - before.load) / milliseconds,
  }
}

function findingsOf(pairs: readonly { ours: Sample; theirs: Sample }[], how: string): Finding[] {
  const compare = (value: (sample: Sample) => number, unit: string, scale = 1) => ({
    ours: `${rounded(scale * median(pairs.map(({ ours }) => value(ours))))} ${unit}`,
    against: `${rounded(scale * median(pairs.map(({ theirs }) => value(theirs))))} ${unit}`,
  })
  const ratio = (value: (sample: Sample) => number) =>
    median(pairs.map(({ ours, theirs }) => value(ours) / value(theirs)))
  const rate = ratio((one) => one.rate)
  const cpuOf = (side: 'ours' | 'theirs') =>
    pairs.reduce((sum, pair) => sum + pair[side].cpu, 0) / pairs.length
  const cpu = cpuOf('theirs') / cpuOf('ours')
  return [
    {
      what: `${how}: requests per second`,
      ...compare((one) => one.rate, '/s'),
      ratio: rate.toFixed(2),
      aim: `≥ ${aim}`,
      met: rate >= aim,
    },
    {
      what: `${how}: requests per processor second of the server`,
      ours: `${rounded(1000 / cpuOf('ours'))} /s`,
      against: `${rounded(1000 / cpuOf('theirs'))} /s`,
      ratio: cpu.toFixed(2),
      aim: `≥ ${aim}`,
      met: cpu >= aim,
    },
    {
      what: `${how}: p50`,
      ...compare((one) => one.p50, 'ms'),
      ratio: ratio((one) => one.p50).toFixed(2),
    },
    {
      what: `${how}: p99`,
      ...compare((one) => one.p99, 'ms'),
      ratio: ratio((one) => one.p99).toFixed(2),
    },
    { what: `${how}: the server's processor is busy`, ...compare((one) => one.serverBusy, '%', 100) },
    { what: `${how}: the load generator's is`, ...compare((one) => one.loadBusy, '%', 100) },
  ]
}

async function askOnce(
  port: number,
  token: string,
): Promise<{ contentType: string; headers: string; body: string }> {
  const answer = await fetch(`http://127.0.0.1:${port}${keyPath(1)}`, { headers: { 'x-vault-token': token } })
  const contentType = answer.headers.get('content-type') ?? ''
  const body = Buffer.from(await answer.arrayBuffer()).toString('base64')
  if (answer.status !== 200) throw new Error(`the answer is ${answer.status}`)
  return { contentType, headers: JSON.stringify([...answer.headers]), body }
}
