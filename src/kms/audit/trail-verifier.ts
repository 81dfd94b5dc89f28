import { z } from 'zod'
import { beginning, type ChainKey, isOurs, isUnchanged, type Link, linkOf, type Position } from './chain.ts'
import { adopted, mismatched, removed } from './trail-events.ts'

/** One thing that is wrong, and where it was noticed. */
export interface Break {
  readonly file: string
  /** Counted from 1; 0 when it is about the file as a whole, or about its end. */
  readonly line: number
  /** The last of several lines with the same break. */
  readonly toLine: number
  readonly what: string
}

export interface Verdict {
  readonly records: number
  readonly files: number
  readonly first: RecordPlace | undefined
  readonly last: RecordPlace | undefined
  readonly breaks: readonly Break[]
  /** What is as it should be, and yet has to be known. */
  readonly notes: readonly string[]
}

export interface RecordPlace extends Position {
  readonly time: string | undefined
}

const changed = 'was changed: its hash is not that of its bytes'
const foreign = 'was not written by this service: its MAC is wrong'
const malformed = 'is not a record of this trail'

const timed = z.object({ eventTime: z.string() })
const ownEvent = z.object({
  eventType: z.literal('AwsServiceEvent'),
  eventName: z.string(),
  eventTime: z.string(),
  serviceEventDetails: z.unknown(),
})
const adoptedDetails = z.object({ name: z.string(), sha256: z.string() })
const removedDetails = z.object({
  files: z.array(z.object({ name: z.string(), lastSequence: z.number(), lastHash: z.string() })),
})

interface Gap {
  readonly file: string
  readonly line: number
  readonly from: number
  readonly to: number
  /** What the record after the gap says of the hash of the last one in it. */
  readonly endHash: string
}

/** Takes the lines of a trail in their order, and tells what is wrong with them. */
export class TrailVerifier {
  readonly #key: ChainKey | undefined
  readonly #head: Position | 'unset' | 'forged' | undefined
  readonly #breaks: Break[] = []
  readonly #notes: string[] = []
  readonly #gaps: Gap[] = []
  /** By the number of the last record, the files that the service says it removed. */
  readonly #removed = new Map<number, { name: string; hash: string }>()
  #adoptedFile: { name: string; sha256: string } | undefined
  #adoption: { name: string; sha256: string } | undefined
  #file = ''
  #files = 0
  #line = 0
  #expectedFirst: number | undefined
  #records = 0
  #first: { link: Link; bytes: Buffer } | undefined
  #last: { link: Link; bytes: Buffer } | undefined
  /** Lines since the last record that was none, or was changed. */
  #unsound = 0

  constructor({
    key,
    head,
  }: {
    key?: ChainKey | undefined
    head?: Position | 'unset' | 'forged' | undefined
  }) {
    this.#key = key
    this.#head = head
  }

  /** `first`: the number of the first record by the file's name. */
  beginFile(name: string, first?: number): void {
    this.#file = name
    this.#files++
    this.#line = 0
    this.#expectedFirst = first
  }

  /** A file with lines from before there was a chain. */
  adoptedFile(file: { name: string; sha256: string }): void {
    this.#adoptedFile = file
    this.#files++
    this.#notes.push(`${file.name} has lines from before the trail was chained; one hash covers them`)
  }

  line(bytes: Buffer): void {
    this.#line++
    this.#records++
    const link = linkOf(bytes)
    if (link === undefined || !isUnchanged(bytes, link)) {
      this.#unsound++
      this.#break(link === undefined ? malformed : changed)
      return
    }
    const ours = this.#key === undefined || isOurs(bytes, link, this.#key)
    if (!ours) this.#break(foreign)
    this.#place(link)
    this.#compareWithHead(link)
    if (ours) this.#heed(bytes, link)
    this.#first ??= { link, bytes: Buffer.from(bytes) }
    if (this.#last === undefined || link.sequence > this.#last.link.sequence) this.#last = { link, bytes }
    this.#unsound = 0
  }

  incompleteLine(mayBeInTheMaking: boolean): void {
    if (mayBeInTheMaking) {
      this.#notes.push(
        `${this.#file} ends in the middle of a line, which is being written or was never answered`,
      )
    } else {
      this.#line++
      this.#break('ends in the middle')
    }
  }

  verdict(): Verdict {
    this.#judgeEnd()
    this.#judgeGaps()
    this.#judgeAdoption()
    return {
      records: this.#records,
      files: this.#files,
      first: placeOf(this.#first),
      last: placeOf(this.#last),
      breaks: this.#breaks,
      notes: this.#notes,
    }
  }

  /** Whether the record comes where its number says. */
  #place(link: Link): void {
    if (this.#line === 1 && this.#expectedFirst !== undefined && link.sequence !== this.#expectedFirst) {
      this.#break(`is record ${link.sequence}, and by the file's name it is record ${this.#expectedFirst}`)
    }
    const last = this.#last?.link ?? { ...beginning, mac: '', previous: '' }
    const skipped = link.sequence - last.sequence - 1
    if (skipped < 0)
      this.#break(`is out of order: record ${link.sequence} comes after record ${last.sequence}`)
    else if (skipped > this.#unsound) {
      const from = last.sequence + 1 + this.#unsound
      this.#gaps.push({ ...this.#here(), from, to: link.sequence - 1, endHash: link.previous })
    } else if (skipped === 0 && link.previous !== last.hash) {
      this.#break('does not follow the record before it: its hash of that is another')
    }
  }

  #compareWithHead({ sequence, hash }: Link): void {
    const head = this.#head
    if (typeof head === 'object' && sequence === head.sequence && hash !== head.hash) {
      this.#break(`is another record ${sequence} than the one that was written, by the database`)
    }
  }

  /** What the service says of its own trail. */
  #heed(bytes: Buffer, link: Link): void {
    if (!bytes.includes('AwsServiceEvent') || !bytes.includes('"AuditTrail')) return
    const parsed = ownEvent.safeParse(parsedJson(bytes))
    if (!parsed.success) return
    const { eventName, eventTime, serviceEventDetails } = parsed.data
    if (eventName === adopted && link.sequence === 1)
      this.#adoption = adoptedDetails.safeParse(serviceEventDetails).data
    if (eventName === mismatched) {
      this.#notes.push(`at ${eventTime} the service found that the trail did not end as it had left it`)
    }
    if (eventName !== removed) return
    for (const file of removedDetails.safeParse(serviceEventDetails).data?.files ?? []) {
      this.#removed.set(file.lastSequence, { name: file.name, hash: file.lastHash })
    }
  }

  #judgeEnd(): void {
    const head = this.#head
    const last = this.#last?.link.sequence ?? 0
    if (head === 'forged')
      this.#breakOfFile('what the database says of its end was not written by this service')
    if (head === 'unset' && last > 0) this.#breakOfFile('the database does not know of it')
    if (typeof head === 'object' && last < head.sequence) {
      this.#breakOfFile(`${range(last + 1, head.sequence)} missing at its end`)
    }
  }

  #judgeGaps(): void {
    for (const { file, line, from, to, endHash } of this.#gaps) {
      const explained = this.#removed.get(to)
      if (explained?.hash === endHash) {
        this.#notes.push(
          `${range(from, to)} not here: the service removed them because of their age, and recorded it`,
        )
      } else this.#breaks.push({ file, line, toLine: line, what: `${range(from, to)} missing before it` })
    }
  }

  #judgeAdoption(): void {
    const [file, record] = [this.#adoptedFile, this.#adoption]
    if (file !== undefined && file.sha256 !== record?.sha256 && this.#first?.link.sequence === 1) {
      const what =
        record === undefined ? 'is covered by no record' : 'was changed: it has not the hash in record 1'
      this.#breaks.push({ file: file.name, line: 0, toLine: 0, what })
    }
    if (file === undefined && record !== undefined && this.#removed.get(0)?.name !== record.name) {
      this.#breaks.push({
        file: record.name,
        line: 0,
        toLine: 0,
        what: 'is missing: record 1 says that it was there',
      })
    }
  }

  #here(): { file: string; line: number } {
    return { file: this.#file, line: this.#line }
  }

  #break(what: string): void {
    const before = this.#breaks.at(-1)
    if (before?.what === what && before.file === this.#file && before.toLine === this.#line - 1) {
      this.#breaks[this.#breaks.length - 1] = { ...before, toLine: this.#line }
    } else this.#breaks.push({ ...this.#here(), toLine: this.#line, what })
  }

  #breakOfFile(what: string): void {
    this.#breaks.push({ file: this.#file, line: 0, toLine: 0, what })
  }
}

function range(from: number, to: number): string {
  return from === to ? `record ${from} is` : `records ${from} to ${to} are`
}

function placeOf(found: { link: Link; bytes: Buffer } | undefined): RecordPlace | undefined {
  if (found === undefined) return undefined
  const { sequence, hash } = found.link
  const record = timed.safeParse(parsedJson(found.bytes))
  return { sequence, hash, time: record.success ? record.data.eventTime : undefined }
}

/** Undefined for what is not JSON: without the key, anybody may have chained anything. */
function parsedJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString())
  } catch {
    return undefined
  }
}
