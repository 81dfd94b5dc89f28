import { z } from 'zod'
import { systemCode } from '../../errors.ts'
import type { Durable } from './audit-trail.ts'
import { withoutLink } from './chain.ts'
import { firstLineOf, type Line, linesBackwards } from './lines.ts'
import { finishedSegments, openSegment } from './segments.ts'

/** A record, as far as a search wants to know it. */
export type TrailRecord = z.infer<typeof trailRecord>

/** What is sought. Times are inclusive, in milliseconds since 1970. */
export interface TrailQuery {
  /** For the region that the records are of. */
  readonly matches: (record: TrailRecord) => boolean
  /** A text that is in every line that matches, if there is one: most lines need not be parsed then. */
  readonly needle: string | undefined
  readonly start: number
  readonly end: number
  readonly limit: number
}

/** The next record to look at is the last one that ends at or before `end` in the file that begins with record `first`. */
export interface TrailPosition {
  readonly first: number
  readonly end: number
}

export interface TrailFindings {
  /** The newest first. */
  readonly found: readonly { record: TrailRecord; text: string }[]
  /** Where to go on; undefined when everything was looked at. */
  readonly next: TrailPosition | undefined
}

/** What one search reads at most, in bytes, before it says where to go on. */
const mostRead = 32 * 1024 * 1024
/** Each holds about a megabyte. */
const mostAtATime = 8
/** By how much, in milliseconds, the times of records may be out of order: requests take time, clocks are set. */
const disorder = 3_600_000

const trailRecord = z.looseObject({
  eventTime: z.string(),
  eventName: z.string(),
  eventSource: z.string(),
  eventID: z.string(),
  awsRegion: z.string(),
  readOnly: z.boolean(),
  userIdentity: z.looseObject({
    type: z.string().optional(),
    userName: z.string().optional(),
    principalId: z.string().optional(),
    accessKeyId: z.string().optional(),
  }),
  requestParameters: z.record(z.string(), z.unknown()).nullish(),
  resources: z.array(z.looseObject({ ARN: z.string(), type: z.string() })).optional(),
})

/** Searches a trail from its end, while it is written. Reads in blocks, between which other requests have their turn. */
export class TrailLookup {
  readonly #path: string
  readonly #durable: () => Durable
  #running = 0

  constructor(path: string, durable: () => Durable) {
    this.#path = path
    this.#durable = durable
  }

  /** Whether so many searches are under way that another one has to come later. */
  get isBusy(): boolean {
    return this.#running >= mostAtATime
  }

  /** Resolves to undefined when there is nothing (any more) at `from`. */
  async search(query: TrailQuery, from?: TrailPosition): Promise<TrailFindings | undefined> {
    this.#running++
    try {
      return await this.#search(query, from)
    } finally {
      this.#running--
    }
  }

  async #search(query: TrailQuery, from?: TrailPosition): Promise<TrailFindings | undefined> {
    const { first, size } = this.#durable()
    const numbers = [...finishedSegments(this.#path).map((one) => one.first), first]
    const begin = from ?? { first, end: size }
    if (!numbers.includes(begin.first)) return undefined
    const search = new Search(query)
    for (const number of numbers.reverse().filter((one) => one <= begin.first)) {
      const next = await this.#searchFile(search, number, number === begin.first ? begin.end : undefined)
      if (next !== undefined) return { found: search.found, next }
      if (search.isOver) break
    }
    return { found: search.found, next: undefined }
  }

  /** Resolves to where to go on, or to undefined when the file was searched. */
  async #searchFile(
    search: Search,
    first: number,
    end: number | undefined,
  ): Promise<TrailPosition | undefined> {
    const file = await openSegment(this.#path, first, () => this.#durable().first)
    try {
      if (end === undefined && search.isAllLater(await firstLineOf(file))) return undefined
      for await (const lines of linesBackwards(file, end ?? (await file.stat()).size)) {
        for (const line of lines) {
          if (search.isFull) return { first, end: line.offset + line.bytes.length + 1 }
          search.take(line)
          if (search.isOver) return undefined
        }
      }
      return undefined
    } catch (error) {
      // Removed because of its age since it was listed.
      if (systemCode(error) === 'ENOENT') return undefined
      throw error
    } finally {
      await file.close()
    }
  }
}

class Search {
  readonly #query: TrailQuery
  readonly #needle: Buffer | undefined
  readonly found: { record: TrailRecord; text: string }[] = []
  isOver = false
  #read = 0

  constructor(query: TrailQuery) {
    this.#query = query
    this.#needle = query.needle === undefined ? undefined : Buffer.from(query.needle, 'utf8')
  }

  get isFull(): boolean {
    return this.found.length >= this.#query.limit || this.#read >= mostRead
  }

  take({ bytes }: Line): void {
    this.#read += bytes.length + 1
    const { start, end, matches } = this.#query
    const time = timeOf(bytes)
    if (time !== undefined && time < start - disorder) this.isOver = true
    if (time === undefined || time < start || time > end) return
    if (this.#needle !== undefined && !bytes.includes(this.#needle)) return
    const text = withoutLink(bytes.toString('utf8'))
    const record = trailRecord.safeParse(parsed(text)).data
    if (record !== undefined && matches(record)) this.found.push({ record, text })
  }

  /** Whether a file that begins with this line has only records that are too young. */
  isAllLater(line: Buffer | undefined): boolean {
    const time = line === undefined ? undefined : timeOf(line)
    return time !== undefined && time > this.#query.end + disorder
  }
}

const timeForm = Buffer.from('"eventTime":"')

/** Without parsing the line: it is asked of each. What comes from a caller can't hold an unescaped quotation mark. */
function timeOf(line: Buffer): number | undefined {
  const at = line.indexOf(timeForm)
  if (at < 0) return undefined
  const begin = at + timeForm.length
  const time = Date.parse(line.toString('latin1', begin, line.indexOf(0x22, begin)))
  return Number.isNaN(time) ? undefined : time
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
