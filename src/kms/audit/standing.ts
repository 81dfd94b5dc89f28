import { open } from 'node:fs/promises'
import { beginning, type ChainKey, isOurs, isUnchanged, type Link, linkOf, type Position } from './chain.ts'
import { firstLineOf, linesBackwards } from './lines.ts'
import { finishedSegments } from './segments.ts'
import type { Head } from './head.ts'

/** How a trail was found when it was opened. */
export interface Standing {
  /** What the next record follows. */
  readonly last: Position
  /** The number of the first record in the current file, or of the one that will be. */
  readonly first: number
  /** A file with lines from before there was a chain, which the next record has to cover. */
  readonly toAdopt: string | undefined
  /** Set when the files do not hold what the head says was on disk. */
  readonly mismatch: Mismatch | undefined
}

export interface Mismatch {
  readonly expected: Position | undefined
  readonly found: Position | undefined
}

/**
 * Compares the end of the trail with the head. Reads as far back as the head lies, which is a second's records after a
 * crash, and one when the service was stopped in order.
 */
export async function standingOf(
  path: string,
  key: ChainKey,
  head: ReturnType<Head['read']>,
): Promise<Standing> {
  const finished = finishedSegments(path)
  const newestFinished = finished.findLast(({ first }) => first > 0)
  const firstInCurrent = await firstLine(path)
  const newest = firstInCurrent === undefined ? newestFinished?.path : path
  const end = newest === undefined ? noEnd : await endOf(newest, key, head)
  const expected = typeof head === 'string' ? undefined : head
  const matches = newest === undefined ? head === 'unset' || expected?.sequence === 0 : end.reachesHead
  const stated = end.last ?? expected ?? beginning
  const last = { hash: stated.hash, sequence: Math.max(stated.sequence, expected?.sequence ?? 0) }
  const isNew = firstInCurrent === undefined && newestFinished === undefined
  return {
    last,
    first: (firstInCurrent === undefined ? undefined : linkOf(firstInCurrent)?.sequence) ?? last.sequence + 1,
    toAdopt: isNew ? finished.find(({ first }) => first === 0)?.path : undefined,
    mismatch: matches ? undefined : { expected, found: end.last },
  }
}

/** The first line of a file; undefined when it has none. */
export async function firstLine(path: string): Promise<Buffer | undefined> {
  const file = await open(path, 'r')
  try {
    return await firstLineOf(file)
  } finally {
    await file.close()
  }
}

interface End {
  readonly last: Position | undefined
  readonly reachesHead: boolean
}
const noEnd: End = { last: undefined, reachesHead: false }

async function endOf(path: string, key: ChainKey, head: ReturnType<Head['read']>): Promise<End> {
  const file = await open(path, 'r')
  try {
    let last: Position | undefined
    let next: Link | undefined
    for await (const lines of linesBackwards(file, (await file.stat()).size)) {
      for (const { bytes } of lines) {
        const link = linkOf(bytes)
        last ??= link
        if (link === undefined || typeof head === 'string') return { last, reachesHead: false }
        const holds =
          isUnchanged(bytes, link) && isOurs(bytes, link, key) && (next?.previous ?? link.hash) === link.hash
        if (!holds) return { last, reachesHead: false }
        if (link.sequence <= head.sequence) {
          return { last, reachesHead: link.sequence === head.sequence && link.hash === head.hash }
        }
        next = link
      }
    }
    const follows =
      typeof head !== 'string' && next?.sequence === head.sequence + 1 && next.previous === head.hash
    return { last, reachesHead: follows }
  } finally {
    await file.close()
  }
}
