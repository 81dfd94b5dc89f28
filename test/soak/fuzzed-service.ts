import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pino } from 'pino'
import { openKmsService } from '../../src/kms/service.ts'
import { readRootAccessKey } from '../support/kms-service.ts'

/**
 * A KMS service in a process of its own, for the fuzzer: tells where it is on a first line of standard output, and
 * for each line of standard input how much memory it needs once its garbage is collected. Ends with standard input.
 * Run it with --expose-gc.
 */
const directory = mkdtempSync(join(tmpdir(), 'strongroom-fuzz-'))
process.on('exit', () => {
  rmSync(directory, { recursive: true, force: true })
})
const service = await openKmsService({
  dataDirectory: directory,
  listen: '127.0.0.1:0',
  regions: ['us-west-2'],
  log: pino({ level: 'error' }, process.stderr),
})
tell({
  endpoint: service.url,
  region: service.region,
  credentials: readRootAccessKey(directory),
  maxAttempts: 1,
})
createInterface(process.stdin)
  .on('line', () => {
    globalThis.gc?.()
    const { heapUsed, external, rss } = process.memoryUsage()
    tell({ heap: heapUsed, external, rss })
  })
  .on('close', () => void service.close())

function tell(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}
