import { readFileSync } from 'node:fs'

/** Of `sysconf(_SC_CLK_TCK)`, which is 100 on every Linux that Node.js runs on. */
const ticksPerSecond = 100

/** Milliseconds of processor time that all threads of a process have used, in steps of ten (proc(5), `stat`). */
export function cpuTime(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The second field is the program's name, which may hold anything; the fields behind it are numbers.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond
}

export interface MemoryUse {
  /** Megabytes (10^6 bytes). */
  readonly now: number
  readonly peak: number
}

/** Resident memory of a process (proc(5), `status`). */
export function memoryUse(pid: number): MemoryUse {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const megabytes = (name: string) =>
    (Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024) / 1e6
  return { now: megabytes('VmRSS'), peak: megabytes('VmHWM') }
}
