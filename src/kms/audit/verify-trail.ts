import { type FileHandle, open } from 'node:fs/promises'
import { basename } from 'node:path'
import { systemCode } from '../../errors.ts'
import type { ChainKey, Position } from './chain.ts'
import { linesForwards } from './lines.ts'
import { finishedSegments } from './segments.ts'
import { sha256Of } from './trail-events.ts'
import { TrailVerifier, type Verdict } from './trail-verifier.ts'

export interface Evidence {
  /** Without it, what was written anew by somebody who can calculate hashes does not show. */
  readonly key?: ChainKey | undefined
  /** Read before the files are; without it, what was cut off the end does not show. */
  readonly head?: Position | 'unset' | 'forged' | undefined
}

/**
 * Reads all files of the trail at `path`, which a service may be writing, rotating and removing meanwhile, and says what
 * is wrong with them. Memory stays the same however large they are.
 */
export async function verifyTrail(path: string, evidence: Evidence): Promise<Verdict> {
  const verifier = new TrailVerifier(evidence)
  let read = -1
  for (;;) {
    const next = finishedSegments(path).find(({ first }) => first > read)
    if (next !== undefined) {
      await verifyFinished(verifier, next)
      read = next.first
      continue
    }
    const current = await openIfThere(path)
    try {
      // What is open now may have been finished, under another name, since the list was made.
      if (finishedSegments(path).some(({ first }) => first > read)) continue
      if (current !== undefined)
        await verifyLines(verifier, { file: current, name: basename(path), isCurrent: true })
      return verifier.verdict()
    } finally {
      await current?.close()
    }
  }
}

/** The same for copies of files, given in the order in which they were written. */
export async function verifyFiles(paths: readonly string[], evidence: Evidence): Promise<Verdict> {
  const verifier = new TrailVerifier(evidence)
  for (const path of paths) {
    const first = /\.(\d{12,15})\.jsonl$/.exec(path)?.[1]
    if (first === undefined) {
      const file = await open(path, 'r')
      try {
        await verifyLines(verifier, { file, name: basename(path), isCurrent: true })
      } finally {
        await file.close()
      }
    } else await verifyFinished(verifier, { path, first: Number(first) })
  }
  return verifier.verdict()
}

async function verifyFinished(
  verifier: TrailVerifier,
  { path, first }: { path: string; first: number },
): Promise<void> {
  const name = basename(path)
  const file = await openIfThere(path)
  // Removed since it was listed: the verifier sees whether the service said so.
  if (file === undefined) return
  try {
    if (first === 0) verifier.adoptedFile({ name, sha256: await sha256Of(path) })
    else await verifyLines(verifier, { file, name, first, isCurrent: false })
  } finally {
    await file.close()
  }
}

interface FileToVerify {
  readonly file: FileHandle
  readonly name: string
  /** The number of the first record, by the name. */
  readonly first?: number
  /** Whether its last line may be in the making. */
  readonly isCurrent: boolean
}

async function verifyLines(
  verifier: TrailVerifier,
  { file, name, first, isCurrent }: FileToVerify,
): Promise<void> {
  verifier.beginFile(name, first)
  for await (const lines of linesForwards(file)) {
    for (const line of lines) {
      if (line.complete) verifier.line(line.bytes)
      else verifier.incompleteLine(isCurrent)
    }
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
