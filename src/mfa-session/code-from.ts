import { closeSync, fstatSync, readdirSync, readlinkSync, readSync, type Stats } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { messageOf, systemCode } from '../errors.ts'
import { codeIn, noCode } from './code.ts'

/** Bytes: a longer line is no code. */
const longestLine = 64
const endOfLine = 0x0a
/** Milliseconds. */
const pauseBeforeNextRead = 20

/** Write for the group; read or write for all. */
const openToOthers = 0o026

/**
 * The code in the first line of what the shell opened for us (`3<FILE`, a pipe), which is closed then. Throws SR_MFA_CODE where it isn't six
 * digits, and for a file or FIFO that somebody else could have read it from, or have put another into.
 */
export async function readCodeFrom(descriptor: number): Promise<string> {
  const fault = faultOf(descriptor)
  if (fault !== undefined) throw noCode(`no code is read from file descriptor ${descriptor}: it ${fault}`)
  const line = Buffer.alloc(longestLine)
  try {
    const length = await readLine(descriptor, line)
    const code = codeIn(line.subarray(0, length))
    if (code === undefined) throw noCode(`what file descriptor ${descriptor} holds is not six digits`)
    return code
  } finally {
    line.fill(0)
    // The command is not to have it; of its standard input it has the rest.
    if (descriptor > 2) closeSync(descriptor)
  }
}

function statsOf(descriptor: number): Stats {
  try {
    return fstatSync(descriptor)
  } catch (error) {
    throw noCode(
      `file descriptor ${descriptor} is not open (${systemCode(error) ?? messageOf(error)}): add ${descriptor}<FILE to the command line`,
      error,
    )
  }
}

function faultOf(descriptor: number): string | undefined {
  const stats = statsOf(descriptor)
  const link = linkOf(descriptor)
  // It has no name by which somebody else could open it, whoever made it.
  const isAnonymous = link !== undefined && /^(pipe|socket):\[/.test(link)
  if (isAnonymous) return isNodes(descriptor, link) ? notOpened : undefined
  if (!stats.isFile() && !stats.isFIFO()) return notOpened
  return faultOfFile(stats)
}

const notOpened = 'is neither a file nor a pipe that was opened for us'

/** Node.js has pipes to itself, with both ends. */
function isNodes(descriptor: number, link: string): boolean {
  const others = readdirSync('/proc/self/fd').map(Number)
  return others.some((other) => other > 2 && other !== descriptor && linkOf(other) === link)
}

/** undefined: it is closed, or the system has no /proc. */
function linkOf(descriptor: number): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`)
  } catch {
    return undefined
  }
}

/** The documented wrapper of MariaDB's AWS plugin reads the code from a FIFO that everybody may write to. */
function faultOfFile(stats: Stats): string | undefined {
  const mode = (stats.mode & 0o777).toString(8).padStart(4, '0')
  if (![0, process.geteuid?.()].includes(stats.uid)) return `belongs to another user (uid ${stats.uid})`
  if ((stats.mode & openToOthers) !== 0)
    return `can be read or written by others (mode ${mode}); give it mode 0600`
  return undefined
}

/** Resolves to how many bytes the line has. What follows it is left alone. */
async function readLine(descriptor: number, line: Buffer): Promise<number> {
  let length = 0
  while (length < line.length) {
    const count = readByte(descriptor, line, length)
    if (count === 0 || line[length] === endOfLine) return length
    if (count === undefined) await setTimeout(pauseBeforeNextRead)
    else length += 1
  }
  return length
}

/** undefined: there is nothing yet. */
function readByte(descriptor: number, line: Buffer, at: number): number | undefined {
  try {
    return readSync(descriptor, line, at, 1, null)
  } catch (error) {
    if (systemCode(error) === 'EAGAIN') return undefined
    throw noCode(
      `cannot read from file descriptor ${descriptor} (${systemCode(error) ?? messageOf(error)})`,
      error,
    )
  }
}
