import { closeSync, openSync, readFileSync, readSync } from 'node:fs'

/** Why the memory of another process can't be read; false: it can. For `skip`. */
export const cannotReadMemory =
  process.platform === 'linux' && process.getuid?.() === 0
    ? false
    : 'only root may read the memory of another process'

export interface MemoryRegion {
  readonly bytes: Buffer
  /** Of `/proc/PID/smaps` (proc(5), `VmFlags`): `lo` locked, `dd` left out of core dumps. */
  readonly flags: readonly string[]
}

/** All that is writable: heaps and stacks. */
export function readMemory(pid: number): MemoryRegion[] {
  const memory = openSync(`/proc/${pid}/mem`, 'r')
  try {
    return readFileSync(`/proc/${pid}/smaps`, 'utf8')
      .split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)
      .flatMap((entry) => {
        const [, begin, end] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(entry) ?? []
        if (begin === undefined || end === undefined) return []
        const bytes = Buffer.alloc(Number(`0x${end}`) - Number(`0x${begin}`))
        try {
          readSync(memory, bytes, 0, bytes.length, Number(`0x${begin}`))
        } catch {
          // A region of the kernel's, such as [vvar].
        }
        return [{ bytes, flags: /^VmFlags: (.*)$/m.exec(entry)?.[1]?.trim().split(' ') ?? [] }]
      })
  } finally {
    closeSync(memory)
  }
}

export function occurrences(regions: readonly MemoryRegion[], wanted: Buffer): number {
  let count = 0
  for (const { bytes } of regions) {
    for (let at = bytes.indexOf(wanted); at >= 0; at = bytes.indexOf(wanted, at + 1)) count += 1
  }
  return count
}
