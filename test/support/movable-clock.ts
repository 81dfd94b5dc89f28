import { subscribe } from 'node:diagnostics_channel'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { ServerResponse } from 'node:http'
import { join } from 'node:path'

/*
 * For tests: processes of ours whose clock a test moves while they run. Node.js loads this file first (NODE_OPTIONS), and from then on it is so
 * many seconds later as a file says.
 */

const variable = 'STRONGROOM_TEST_CLOCK'

/** A clock that several processes share. */
export class MovableClock {
  readonly #file: string
  #seconds = 0

  constructor(directory: string) {
    mkdirSync(directory, { recursive: true })
    this.#file = join(directory, 'seconds')
    this.advance(0)
  }

  /** What a process needs in its environment to go by it. */
  get environment(): Readonly<Record<string, string>> {
    return {
      NODE_OPTIONS: `--disable-warning=ExperimentalWarning --import=${import.meta.filename}`,
      [variable]: this.#file,
    }
  }

  get now(): Date {
    return new Date(Date.now() + this.#seconds * 1000)
  }

  advance(seconds: number): void {
    this.#seconds += seconds
    // Nobody is to read half of it.
    writeFileSync(`${this.#file}.new`, String(this.#seconds))
    renameSync(`${this.#file}.new`, this.#file)
  }
}

const file = process.env[variable]
if (file !== undefined) goBy(file)

function goBy(file: string): void {
  const RightDate = Date
  const offset = (): number => Number(readFileSync(file, 'utf8')) * 1000
  class LaterDate extends RightDate {
    constructor(...args: ConstructorParameters<DateConstructor> | []) {
      if (args.length === 0) super(RightDate.now() + offset())
      else super(...args)
    }

    static override now(): number {
      return RightDate.now() + offset()
    }
  }
  Reflect.set(globalThis, 'Date', LaterDate)
  // Node.js's own Date header has the true time, by which clients would set their clocks.
  subscribe('http.server.request.start', (message) => {
    if (typeof message !== 'object' || message === null || !('response' in message)) return
    if (message.response instanceof ServerResponse)
      message.response.setHeader('date', new Date().toUTCString())
  })
}
