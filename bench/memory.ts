import { keyPath, startAgent, startStubKms } from './agent.ts'
import { memoryUse } from './proc.ts'
import { type Finding, rounded } from './report.ts'
import { loadAnswer } from './requests.ts'
import { writeStoredKeys } from './stored-keys.ts'
import { Worker } from './worker.ts'
import type { Workplace } from './workplace.ts'

const storedKeys = 1000
const requestsServed = 5000
const aim = 120

/** Resident memory of an agent that holds a thousand keys, against one that holds one. */
export async function memory(place: Workplace): Promise<Finding[]> {
  const one = await measure(place, 1)
  const many = await measure(place, storedKeys)
  const finding = (what: string, value: (use: typeof one) => number): Finding => ({
    what,
    ours: `${rounded(value(many))} MB`,
    against: `${rounded(value(one))} MB with 1 key`,
    ratio: (value(many) / value(one)).toFixed(2),
    aim: `< ${aim} MB`,
    met: value(many) < aim,
  })
  return [
    finding(`${storedKeys} keys: resident when ready`, ({ ready }) => ready.now),
    finding(`${storedKeys} keys: after ${requestsServed} requests`, ({ served }) => served.now),
    finding(`${storedKeys} keys: the most at any time`, ({ served }) => served.peak),
  ]
}

async function measure(place: Workplace, keys: number) {
  const stored = place.folder(`stored-${keys}`)
  await writeStoredKeys({ directory: stored, keys })
  const agent = await startAgent(place, stored, await startStubKms(place, 5))
  const ready = memoryUse(agent.pid)
  const load = await Worker.start(place, 'load.ts')
  const paths = Array.from({ length: keys }, (_, index) => keyPath(index + 1))
  const question = { port: agent.port, paths, token: agent.token, count: requestsServed }
  await load.ask({ ...question, concurrency: 8, keepAlive: false }, loadAnswer)
  const served = memoryUse(agent.pid)
  await agent.stop()
  return { ready, served }
}
