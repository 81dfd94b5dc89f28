import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { z } from 'zod'
import { keyringName, setUpAgent } from '../src/cli/demo/agent-setup.ts'
import { logLines } from '../src/cli/demo/log-lines.ts'
import { vaultListener } from '../src/cli/demo/stack-listener.ts'
import { cpuTime } from './proc.ts'
import { stubMasterKey } from './stored-keys.ts'
import { Worker } from './worker.ts'
import type { Workplace } from './workplace.ts'

/** A KMS that agents can be pointed at. */
export interface KmsSetup {
  readonly url: string
  readonly masterKeyArn: string
  readonly credentialsFile: string
}

export interface ReadyAgent {
  readonly pid: number
  readonly port: number
  readonly token: string
  /** Milliseconds from the start of the process. */
  readonly listeningAfter: number
  readonly readyAfter: number
  /** Milliseconds of processor time until then. */
  readonly cpuUntilReady: number
  stop(): Promise<void>
}

const readyWithin = 60_000
const timedLine = z.looseObject({ msg: z.string(), time: z.number() })

export const portAnswer = z.object({ port: z.number() })

export function keyPath(keyId: number): string {
  return `/v1/${keyringName}/data/${keyId}?version=1`
}

/** The stub KMS (`workers/stub-kms.ts`), and credentials that it does not look at. */
export async function startStubKms(place: Workplace, latency: number): Promise<KmsSetup> {
  const worker = await Worker.start(place, 'stub-kms.ts')
  const { port } = await worker.ask({ latency }, portAnswer)
  const credentialsFile = join(place.directory, 'credentials')
  writeFileSync(credentialsFile, '[default]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = none\n')
  return { url: `http://127.0.0.1:${port}`, masterKeyArn: stubMasterKey, credentialsFile }
}

/** Starts a real agent over a directory of stored keys, and waits until it says that it is ready. */
export async function startAgent(place: Workplace, keyDirectory: string, kms: KmsSetup): Promise<ReadyAgent> {
  const directory = place.folder(`agent-${crypto.randomUUID()}`)
  const { url: kmsUrl, masterKeyArn, credentialsFile } = kms
  const towards = { kmsUrl, masterKeyArn, credentialsFile }
  const listener = vaultListener(directory, 0)
  const config = setUpAgent({ directory, keyDirectory, listener, ...towards, keyring: {}, logLevel: 'info' })
  const startedAt = Date.now()
  const args = ['agent', '--config', config]
  const daemon = await place.startDaemon({ args, directory, name: 'agent' })
  while (!/^ready$/m.test(daemon.log())) {
    if (Date.now() - startedAt > readyWithin) throw new Error(`not ready: ${daemon.log().slice(-2000)}`)
    await setTimeout(20)
  }
  const cpuUntilReady = cpuTime(daemon.pid)
  // The log has the times: to poll often enough to see them would take a processor from what is measured.
  const lines = logLines(daemon).map((line) => timedLine.parse(line))
  const after = (message: string) =>
    (lines.find(({ msg }) => msg.startsWith(message))?.time ?? Number.NaN) - startedAt
  return {
    pid: daemon.pid,
    port: Number(new URL(daemon.url).port),
    token: listener.token,
    listeningAfter: after('listening'),
    readyAfter: after('ready'),
    cpuUntilReady,
    stop: () => daemon.stop(),
  }
}
