import type { PageRun } from './paged-files.ts'

/** Runs of `length` pages: all of them where `wanted` pages are all, else so many of them as hold that, evenly spread. */
export function* pageRuns(pages: number, wanted: number, length: number): Generator<PageRun, void> {
  const inAll = Math.ceil(pages / length)
  const chosen = wanted >= pages ? inAll : Math.min(inAll, Math.max(1, Math.floor(wanted / length)))
  for (let at = 0; at < chosen; at++) {
    // The first and the last are among them: what was written first, and what was written last.
    const first = length * (chosen === 1 ? 0 : Math.floor((at * (inAll - 1)) / (chosen - 1)))
    yield { first, count: Math.min(length, pages - first) }
  }
}

/** Divides a budget so that small wants are met wholly and large ones get equal shares. */
export function shares(wants: readonly number[], budget: number): number[] {
  const granted = new Map<number, number>()
  let left = budget
  const ascending = wants.map((want, at) => ({ want, at })).sort((a, b) => a.want - b.want)
  for (const [served, { want, at }] of ascending.entries()) {
    const share = Math.min(want, Math.floor(left / (ascending.length - served)))
    granted.set(at, share)
    left -= share
  }
  return wants.map((_, at) => granted.get(at) ?? 0)
}
