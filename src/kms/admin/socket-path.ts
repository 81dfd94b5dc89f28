import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'

/** An address of a socket for as long as it is needed: `release` ends that. */
export interface SocketAddress {
  readonly path: string
  release(): void
}

/** Bytes of `sun_path` without its closing zero (unix(7)). */
const longest = 107

export function socketPath(directory: string): string {
  return join(directory, 'admin.sock')
}

/**
 * Where to listen or connect. A path that is too long for a socket's address is reached through the open directory,
 * as Linux allows.
 */
export function socketAddress(directory: string): SocketAddress {
  const path = socketPath(directory)
  if (Buffer.byteLength(path) <= longest) return { path, release: () => undefined }
  const opened = openSync(directory, 'r')
  return {
    path: socketPath(`/proc/self/fd/${String(opened)}`),
    release() {
      closeSync(opened)
    },
  }
}
