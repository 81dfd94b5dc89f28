import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import { messageOf } from '../../errors.ts'
import { type Looked, seen, unseen } from '../looked.ts'

/** The host's memory, as far as it reaches a disk. */
export interface HostFacts {
  /** Swap areas that are neither encrypted nor themselves in memory. */
  readonly openSwap: readonly string[]
}

/** What a process may leave on a disk. */
export interface MemoryFacts {
  /** A core dump of it would be written or handed on: what its soft limit says, `0` for none. */
  readonly coreLimit: string
  /** Whether its cgroup keeps it from being swapped. */
  readonly isKeptFromSwap: boolean
  /** KiB that are locked in memory. */
  readonly locked: number
  /** Libraries that it has loaded and whose files were replaced or removed since. */
  readonly replacedLibraries: readonly string[]
  readonly commandLine: readonly string[]
}

export function lookAtHost(): Looked<HostFacts> {
  try {
    const [, ...areas] = readFileSync('/proc/swaps', 'utf8').trim().split('\n')
    const names = areas.map((line) => line.split(/\s+/)[0] ?? '').map(decodeOctal)
    return seen({ openSwap: names.filter((name) => name !== '' && !isProtected(name)) })
  } catch (error) {
    return unseen(`/proc/swaps can not be read (${messageOf(error)})`)
  }
}

export function lookAtMemoryOf(pid: number | undefined): Looked<MemoryFacts> {
  if (pid === undefined) return unseen('its process is not known')
  try {
    const read = (name: string) => readFileSync(`/proc/${pid}/${name}`, 'utf8')
    return seen({
      coreLimit: /^Max core file size\s+(\S+)/m.exec(read('limits'))?.[1] ?? 'unknown',
      isKeptFromSwap: swapLimitOf(read('cgroup')) === '0',
      locked: Number(/^VmLck:\s+(\d+)/m.exec(read('status'))?.[1] ?? 0),
      replacedLibraries: [
        ...new Set([...read('maps').matchAll(/(\/\S+\.so\S*) \(deleted\)$/gm)].map(([, file = '']) => file)),
      ],
      commandLine: read('cmdline').split('\0').slice(0, -1),
    })
  } catch (error) {
    return unseen(`/proc/${pid} can not be read (${messageOf(error)})`)
  }
}

/** zram is memory; else the device, or the one on which the file lies, has to be encrypted. */
function isProtected(area: string): boolean {
  try {
    if (basename(realpathSync(area)).startsWith('zram')) return true
    const found = statSync(area)
    return isEncrypted(`/sys/dev/block/${deviceName(found.isBlockDevice() ? found.rdev : found.dev)}`)
  } catch {
    return false
  }
}

/** dm-crypt has its name in front of the uuid; what lies upon encrypted devices alone, such as LVM, is encrypted too. */
function isEncrypted(device: string): boolean {
  if (textOf(`${device}/dm/uuid`)?.startsWith('CRYPT-') === true) return true
  const below = readdirSync(`${device}/slaves`)
  return below.length > 0 && below.every((name) => isEncrypted(`${device}/slaves/${name}`))
}

/** As Linux packs it (makedev(3)). */
function deviceName(device: number): string {
  const major = Math.floor(device / 256) % 4096
  const minor = (device % 256) + (Math.floor(device / 1_048_576) % 4096) * 256
  return `${major}:${minor}`
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

/** /proc/swaps writes spaces in a name as `\040`. */
function decodeOctal(name: string): string {
  return name.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)))
}

/** `memory.swap.max` of the process's own cgroup, version 2. */
function swapLimitOf(cgroup: string): string | undefined {
  const path = /^0::(.*)$/m.exec(cgroup)?.[1]
  if (path === undefined) return undefined
  return textOf(`/sys/fs/cgroup${path}/memory.swap.max`)?.trim()
}
