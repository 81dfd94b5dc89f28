import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

export interface OpenSocket {
  /** `unix`, or the table in /proc/net: `tcp`, `tcp6`, `udp`, `udp6`, `raw`, `netlink`, `packet` … */
  readonly kind: string
  readonly local: string
  readonly remote: string
}

/** Every socket that a process holds, as its network namespace lists them (proc_pid_net(5)). Closed ones have kind `closed`. */
export function openSocketsOf(pid: number): OpenSocket[] {
  const inodes = socketInodes(pid)
  const known = socketTables(pid)
  // What is not in a table was ended meanwhile, or is neither bound nor connected.
  const still = new Set(socketInodes(pid))
  return inodes.flatMap((inode) => {
    const socket = known.get(inode)
    if (socket !== undefined) return [socket]
    return still.has(inode) ? [{ kind: 'closed', local: '', remote: '' }] : []
  })
}

export function isLocal({ kind, local, remote }: OpenSocket): boolean {
  if (kind === 'unix' || kind === 'closed') return true
  if (kind !== 'tcp' && kind !== 'tcp6') return false
  return isLoopback(local) && (isLoopback(remote) || isUnspecified(remote))
}

function socketInodes(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((descriptor) => {
    try {
      const [, inode] = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${descriptor}`)) ?? []
      return inode === undefined ? [] : [inode]
    } catch {
      // It was closed since.
      return []
    }
  })
}

function socketTables(pid: number): Map<string, OpenSocket> {
  const sockets = new Map<string, OpenSocket>()
  for (const kind of ['tcp', 'tcp6', 'udp', 'udp6', 'udplite', 'udplite6', 'raw', 'raw6', 'icmp', 'icmp6']) {
    for (const fields of rowsOf(pid, kind))
      sockets.set(fields[9] ?? '', { kind, local: fields[1] ?? '', remote: fields[2] ?? '' })
  }
  for (const fields of rowsOf(pid, 'unix'))
    sockets.set(fields[6] ?? '', { kind: 'unix', local: fields[7] ?? '', remote: '' })
  for (const [kind, column] of [
    ['netlink', 9],
    ['packet', 8],
  ] as const)
    for (const fields of rowsOf(pid, kind)) sockets.set(fields[column] ?? '', { kind, local: '', remote: '' })
  return sockets
}

function rowsOf(pid: number, table: string): string[][] {
  try {
    const [, ...lines] = readFileSync(`/proc/${pid}/net/${table}`, 'utf8').trim().split('\n')
    return lines.map((line) => line.trim().split(/\s+/))
  } catch {
    return []
  }
}

/** Addresses are written as the processor has them in memory; ours are little-endian. */
function isLoopback(address: string): boolean {
  return (
    /^[0-9A-F]{6}7F:/.test(address) ||
    /^0{24}01000000:/.test(address) ||
    /^0{16}FFFF0000[0-9A-F]{6}7F:/.test(address)
  )
}

function isUnspecified(address: string): boolean {
  return /^0+:/.test(address)
}
