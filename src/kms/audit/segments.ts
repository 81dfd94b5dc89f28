import { readdirSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { systemCode } from '../../errors.ts'

/** A file of the trail. */
export interface Segment {
  readonly path: string
  /** The number of its first record by its name; 0: lines from before the chain. Undefined: the current file. */
  readonly first: number | undefined
}

/** `audit-trail.jsonl` when finished is `audit-trail.000000000123.jsonl`, by the number of its first record. */
export function segmentPath(trailPath: string, first: number): string {
  return join(dirname(trailPath), `${stem(trailPath)}.${String(first).padStart(12, '0')}.jsonl`)
}

/** The finished segments of the trail, the oldest first. */
export function finishedSegments(trailPath: string): { path: string; first: number }[] {
  return readdirSync(dirname(trailPath))
    .flatMap((name) => {
      const first = numberIn(name, trailPath)
      return first === undefined ? [] : [{ path: join(dirname(trailPath), name), first }]
    })
    .sort((a, b) => a.first - b.first)
}

function numberIn(name: string, trailPath: string): number | undefined {
  const prefix = `${stem(trailPath)}.`
  const [, digits] =
    /^(\d{12,15})\.jsonl$/.exec(name.startsWith(prefix) ? name.slice(prefix.length) : '') ?? []
  return digits === undefined ? undefined : Number(digits)
}

function stem(trailPath: string): string {
  return basename(trailPath, '.jsonl')
}

/** Opens the file whose first record is the `first`th, though another may become the current one meanwhile. */
export async function openSegment(
  trailPath: string,
  first: number,
  currentFirst: () => number,
): Promise<FileHandle> {
  if (first === currentFirst()) {
    try {
      const file = await open(trailPath, 'r')
      if (first === currentFirst()) return file
      await file.close()
    } catch (error) {
      // For a moment no file has the name, for the one has its next name and the other not yet this one.
      if (systemCode(error) !== 'ENOENT' || first === currentFirst()) throw error
    }
  }
  return open(segmentPath(trailPath, first), 'r')
}
