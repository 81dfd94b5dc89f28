import { KMSClient } from '@aws-sdk/client-kms'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { readRootAccessKey } from './kms-service.ts'
import { program } from './strongroom.ts'
import { until } from './until.ts'

/** `strongroom kms` as a process of its own. */
export interface KmsProcess {
  readonly url: string
  readonly pid: number
  /** All that it wrote so far, to stdout and stderr. */
  readonly output: () => string
  /** `directory`: whose root access key the client has; the process's own, when left out. */
  readonly client: (directory?: string) => KMSClient
  /** Command line and environment of every process that it consists of. */
  readonly visible: () => string
  readonly stop: () => Promise<void>
}

export interface Started {
  readonly directory: string
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** Starts a service and waits until it listens; throws what it wrote when it ends instead. */
export async function startKms(
  t: TestContext,
  { directory, args = [], env = {} }: Started,
): Promise<KmsProcess> {
  const child = spawn(program, ['kms', '--data', directory, '--listen', '127.0.0.1:0', ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const stop = (): Promise<void> => end(child)
  t.after(stop)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  }
  const urlIn = (): string | undefined => /^listening on (\S+)$/m.exec(output)?.[1]
  await until('the service listens or ends', () => urlIn() !== undefined || child.exitCode !== null)
  const url = urlIn()
  const { pid } = child
  if (url === undefined || pid === undefined) throw new Error(output)
  return {
    url,
    pid,
    output: () => output,
    client: (whose = directory) =>
      new KMSClient({
        endpoint: url,
        region: 'us-east-1',
        credentials: readRootAccessKey(whose),
        maxAttempts: 1,
      }),
    visible: () =>
      ['cmdline', 'environ'].map((name) => readFileSync(`/proc/${pid}/${name}`, 'latin1')).join(),
    stop,
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}
