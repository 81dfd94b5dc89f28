import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeReleaseTree } from '../scripts/release-tree.ts'
import { kmsKeys } from './kms-keys.ts'
import { kmsRequests } from './kms-requests.ts'
import { memory } from './memory.ts'
import { type Finding, printTable } from './report.ts'
import { requests } from './requests.ts'
import { start } from './start.ts'
import { Workplace } from './workplace.ts'

/**
 * `npm run bench [-- NAME]`: measures ours and what it is held against in one run, side by side, and prints the
 * ratios. A missed aim is told, not an error: on another machine, or a busy one, the numbers are others.
 */
const benchmarks: Record<string, (place: Workplace) => Promise<Finding[]>> = {
  requests,
  start,
  memory,
  'kms-requests': kmsRequests,
  'kms-keys': kmsKeys,
}

process.exitCode = await main(process.argv.slice(2))

async function main(names: readonly string[]): Promise<number> {
  const chosen = Object.entries(benchmarks).filter(([name]) => names.length === 0 || names.includes(name))
  if (chosen.length === 0 || names.some((name) => benchmarks[name] === undefined)) {
    console.error(`usage: npm run bench [-- ${Object.keys(benchmarks).join('|')}]`)
    return 2
  }
  const release = mkdtempSync(join(tmpdir(), 'strongroom-release-'))
  process.on('exit', () => {
    rmSync(release, { recursive: true, force: true })
  })
  console.error('building a release, which is what is measured …')
  const program = makeReleaseTree(release)
  for (const [name, run] of chosen) {
    console.error(`measuring: ${name} …`)
    printTable(name, await inWorkplace(program, run))
  }
  return 0
}

async function inWorkplace(
  program: string,
  run: (place: Workplace) => Promise<Finding[]>,
): Promise<Finding[]> {
  const place = new Workplace(program)
  const interrupted = () => {
    void place.clear().finally(() => process.exit(130))
  }
  process.once('SIGINT', interrupted)
  process.once('SIGTERM', interrupted)
  try {
    return await run(place)
  } finally {
    process.off('SIGINT', interrupted)
    process.off('SIGTERM', interrupted)
    await place.clear()
  }
}
