import { openDataDirectory } from '../src/kms/state/data-directory.ts'
import { openKeyStore } from '../src/kms/open-schedule.ts'
import { Keys } from '../src/kms/state/keys.ts'
import { pino } from 'pino'
import { z } from 'zod'
import { memoryUse } from './proc.ts'
import { answerOf, signedFor, startKms, pin, type Target } from './kms-requests.ts'
import { type Finding, rounded } from './report.ts'
import { loadAnswer } from './requests.ts'
import { median } from './statistics.ts'
import { Worker } from './worker.ts'
import type { Workplace } from './workplace.ts'

const many = 100_000
const few = 10
const used = 500
const rounds = 5
const startAim = 2000
const flatAim = 0.9

/** 10 keys against 100,000: how long the start takes, and Decrypt with keys all over them. */
export async function kmsKeys(place: Workplace): Promise<Finding[]> {
  const load = await Worker.start(place, 'signed-load.ts')
  pin(load.pid, 1)
  const measured: { start: number; rate: number; memory: number }[] = []
  for (const keys of [few, many]) {
    const data = place.folder(`kms-${keys}`)
    await makeKeys(data, keys)
    const starts: number[] = []
    for (let n = 0; n < 3; n++) {
      const before = performance.now()
      const kms = await startKms(place, data)
      starts.push(performance.now() - before)
      await kms.stop()
    }
    const kms = await startKms(place, data)
    const target = { url: kms.url, dataDirectory: data }
    const requests = await decryptsAllOver(target)
    const rates: number[] = []
    for (let round = -1; round < rounds; round++) {
      const question = { port: Number(new URL(kms.url).port), requests, count: 10_000, concurrency: 32 }
      const { rate } = await load.ask(question, loadAnswer)
      if (round >= 0) rates.push(rate)
    }
    measured.push({ start: median(starts), rate: median(rates), memory: memoryUse(kms.pid).now })
    await kms.stop()
  }
  const [small, large] = measured
  if (small === undefined || large === undefined) throw new Error('nothing was measured')
  return [
    {
      what: `start with ${many} keys, against ${few}`,
      ours: `${rounded(large.start)} ms`,
      against: `${rounded(small.start)} ms`,
      ratio: (large.start / small.start).toFixed(2),
      aim: `< ${startAim} ms`,
      met: large.start < startAim,
    },
    {
      what: `Decrypt with ${many} keys, against ${few}`,
      ours: `${rounded(large.rate)} /s`,
      against: `${rounded(small.rate)} /s`,
      ratio: (large.rate / small.rate).toFixed(2),
      aim: `≥ ${flatAim}`,
      met: large.rate / small.rate >= flatAim,
    },
    {
      what: `resident memory with ${many} keys, ${used} of them used`,
      ours: `${rounded(large.memory)} MB`,
      against: `${rounded(small.memory)} MB`,
    },
  ]
}

/** By the service's own code, but without waiting for the disk. */
async function makeKeys(dataDirectory: string, count: number): Promise<void> {
  const data = await openDataDirectory(dataDirectory, {})
  const store = openKeyStore(data, {}, pino({ level: 'silent' }))
  const keys = new Keys(store, data.account.region)
  data.database.exec('PRAGMA synchronous = OFF')
  for (let n = 0; n < count; n++) keys.create({ description: '', policy: policy(data.account.accountId) })
  store.zero()
  data.close()
}

/** Requests for as many keys as there are, up to `used`, from all parts of the table. */
async function decryptsAllOver(target: Target): Promise<string[]> {
  const answer = z.object({ Keys: z.array(z.object({ KeyId: z.string() })) })
  const { Keys } = answer.parse(await answerOf(target, { operation: 'ListKeys', members: { Limit: 1000 } }))
  const requests: string[] = []
  for (const { KeyId } of Keys.slice(0, used)) {
    const members = { KeyId, Plaintext: Buffer.alloc(32, 7).toString('base64') }
    const blob = z.object({ CiphertextBlob: z.string() })
    const { CiphertextBlob } = blob.parse(await answerOf(target, { operation: 'Encrypt', members }))
    requests.push(...(await signedFor(target, { operation: 'Decrypt', members: { CiphertextBlob } }, 1)))
  }
  return requests
}

function policy(accountId: string): string {
  const Principal = { AWS: `arn:aws:iam::${accountId}:root` }
  return JSON.stringify({ Statement: [{ Effect: 'Allow', Principal, Action: 'kms:*', Resource: '*' }] })
}
