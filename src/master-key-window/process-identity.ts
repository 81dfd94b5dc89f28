import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { z } from 'zod'
import { systemCode } from '../errors.ts'

/** Which process, once and for all: a number alone is given to another one after the first has ended. */
export const processIdentity = z.strictObject({
  host: z.string(),
  /** Of Linux; empty elsewhere. */
  boot: z.string(),
  pid: z.int().positive(),
  /** In ticks since the boot (proc(5), field 22 of stat); empty where there is no /proc. */
  started: z.string(),
})
export type ProcessIdentity = z.infer<typeof processIdentity>

export function ownIdentity(): ProcessIdentity {
  return { host: hostname(), boot: bootId(), pid: process.pid, started: startOf(process.pid) ?? '' }
}

/** Whether that process runs; undefined: it is one of another host, so that can't be told here. */
export function isRunning({ host, boot, pid, started }: ProcessIdentity): boolean | undefined {
  if (host !== hostname()) return undefined
  if (boot !== bootId()) return false
  if (started !== '') return startOf(pid) === started
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return systemCode(error) === 'EPERM'
  }
}

function bootId(): string {
  return read('/proc/sys/kernel/random/boot_id')?.trim() ?? ''
}

function startOf(pid: number): string | undefined {
  const stat = read(`/proc/${pid}/stat`)
  // The second field is the command's name in brackets, which may hold spaces and brackets.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? []
  // One that has ended, and that nobody has asked about yet, is still listed.
  return ['Z', 'X'].includes(fields[0] ?? '') ? undefined : fields[19]
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
