import { z } from 'zod'
import { type KmsSetup, startAgent, startStubKms } from './agent.ts'
import { startRealKms } from './real-kms.ts'
import { type Finding, rounded } from './report.ts'
import { median } from './statistics.ts'
import { writeStoredKeys } from './stored-keys.ts'
import { Worker } from './worker.ts'
import type { Workplace } from './workplace.ts'

const latencies = [0, 5, 20]
const storedKeys = [1, 100, 1000]
const runs = 3
/** More, one at a time, would take half a minute: what they would take is reckoned from these. */
const oneAtATimeUpTo = 100
const callsAtOnce = 32
const aims = { ratio: 2, keys: 1000, latency: 20, ready: 1500 }

const duration = z.object({ milliseconds: z.number() })

/**
 * From the start of the agent's process until every stored key is unwrapped. Two things that no KMS is to blame for are in
 * each of these times: what the first call costs (1 key, 0 ms), and the agent's processor time for each further one (the last
 * line). With few keys, or a near KMS, they are most of it.
 */
export async function start(place: Workplace): Promise<Finding[]> {
  const directories = new Map<number, string>()
  for (const keys of storedKeys) {
    const directory = place.folder(`stored-${keys}`)
    await writeStoredKeys({ directory, keys })
    directories.set(keys, directory)
  }
  const findings: Finding[] = []
  const cpu = new Map<number, number>()
  for (const latency of latencies) {
    const kms = await startStubKms(place, latency)
    for (const [keys, directory] of directories) {
      const times = await measure(place, directory, kms)
      cpu.set(keys, times.cpu)
      const small = directories.get(Math.min(keys, oneAtATimeUpTo)) ?? directory
      const baseline = (await oneAtATime(place, small, kms)) * Math.max(1, keys / oneAtATimeUpTo)
      findings.push(...findingsOf({ keys, latency, ...times, baseline }))
    }
  }
  const perKey = ((cpu.get(aims.keys) ?? Number.NaN) - (cpu.get(1) ?? Number.NaN)) / (aims.keys - 1)
  return [
    ...findings,
    ...(await withRealKms(place)),
    { what: 'processor time for each stored key', ours: `${rounded(perKey)} ms` },
  ]
}

async function measure(place: Workplace, directory: string, kms: KmsSetup) {
  const ready: number[] = []
  const loading: number[] = []
  const cpu: number[] = []
  for (let run = 0; run < runs; run++) {
    const agent = await startAgent(place, directory, kms)
    ready.push(agent.readyAfter)
    loading.push(agent.readyAfter - agent.listeningAfter)
    cpu.push(agent.cpuUntilReady)
    await agent.stop()
  }
  return { ready: median(ready), loading: median(loading), cpu: median(cpu) }
}

async function oneAtATime(place: Workplace, directory: string, kms: KmsSetup): Promise<number> {
  const worker = await Worker.start(place, 'one-at-a-time.ts')
  const question = { directory, kmsUrl: kms.url, credentialsFile: kms.credentialsFile }
  const { milliseconds } = await worker.ask(question, duration)
  await worker.stop()
  return milliseconds
}

interface Times {
  readonly keys: number
  readonly latency: number
  readonly ready: number
  readonly loading: number
  readonly baseline: number
}

function findingsOf({ keys, latency, ready, loading, baseline }: Times): Finding[] {
  const what = `${keys} ${keys === 1 ? 'key' : 'keys'}, ${latency} ms`
  const least = Math.ceil(keys / callsAtOnce) * latency
  const reckoned = keys > oneAtATimeUpTo ? '~' : ''
  const mustBeFast = keys === aims.keys && latency === aims.latency
  return [
    {
      what: `${what}: start to ready`,
      ours: `${rounded(ready)} ms`,
      ...(mustBeFast ? { aim: `< ${aims.ready} ms`, met: ready < aims.ready } : {}),
    },
    {
      what: `${what}: loading`,
      ours: `${rounded(loading)} ms`,
      against: `${reckoned}${rounded(baseline)} ms one at a time`,
      ratio: (loading / baseline).toFixed(2),
    },
    ...(least === 0
      ? []
      : [
          {
            what: `${what}: loading`,
            ours: `${rounded(loading)} ms`,
            against: `${rounded(least)} ms, the KMS alone, ${callsAtOnce} at a time`,
            ratio: (loading / least).toFixed(2),
            aim: `≤ ${aims.ratio}`,
            met: loading <= aims.ratio * least,
          },
        ]),
  ]
}

async function withRealKms(place: Workplace): Promise<Finding[]> {
  const { kms, wrap } = await startRealKms(place)
  const directory = place.folder('stored-real')
  await writeStoredKeys({ directory, keys: aims.keys, masterKeyArn: kms.masterKeyArn, wrap })
  const { ready, loading } = await measure(place, directory, kms)
  const what = `${aims.keys} keys, our KMS service`
  return [
    { what: `${what}: start to ready`, ours: `${rounded(ready)} ms` },
    { what: `${what}: loading`, ours: `${rounded(loading)} ms` },
  ]
}
