import { systemCode } from '../errors.ts'
import { write } from './terminal.ts'

const enter = [0x0a, 0x0d]
const endOfInput = 0x04
const interrupt = 0x03
const suspend = 0x1a
const erase = [0x08, 0x7f]
const longest = 1024
/** Of those that end us, where Node.js does not see to the terminal itself as at SIGINT and SIGTERM. */
const fatal = ['SIGHUP', 'SIGQUIT', 'SIGUSR2'] as const

/** Resolves to the bytes that were typed, which the caller zeroes. Throws `interrupted` for Ctrl-C. */
export type HiddenPrompt = (question: string, interrupted: Error) => Promise<Buffer>

/** Asks at the terminal, without showing what is typed. Undefined: there is no terminal. */
export function hiddenPrompt(): HiddenPrompt | undefined {
  return process.stdin.isTTY && process.stderr.isTTY ? ask : undefined
}

const ask: HiddenPrompt = async (question, interrupted) => {
  const { stdin, stderr } = process
  const begin = (): void => {
    // Off first: Node.js doesn't know of what the shell has set while we were stopped.
    setRawMode(false)
    setRawMode(true)
    write(stderr, question)
  }
  const end = (signal: NodeJS.Signals): void => {
    setRawMode(false)
    for (const one of fatal) process.off(one, end)
    process.kill(process.pid, signal)
  }
  process.on('SIGCONT', begin)
  for (const one of fatal) process.on(one, end)
  // The question last: what is typed ahead of it would show.
  begin()
  try {
    return await readLine(interrupted)
  } finally {
    process.off('SIGCONT', begin)
    for (const one of fatal) process.off(one, end)
    setRawMode(false)
    stdin.pause()
    write(stderr, '\n')
  }
}

async function readLine(interrupted: Error): Promise<Buffer> {
  const { stdin } = process
  const line = Buffer.alloc(longest)
  let length = 0
  return await new Promise((resolve, reject) => {
    const finish = (error?: Error): void => {
      stdin.off('data', read).off('end', hungUp).off('error', hungUp)
      const typed = Buffer.from(line.subarray(0, length))
      line.fill(0)
      if (error === undefined) resolve(typed)
      else reject(error)
    }
    const hungUp = (): void => {
      finish(interrupted)
    }
    const read = (typed: Buffer): void => {
      for (const byte of typed) {
        if (enter.includes(byte) || byte === endOfInput) {
          finish()
          break
        }
        if (byte === interrupt) {
          finish(interrupted)
          break
        }
        if (byte === suspend) {
          length = 0
          line.fill(0)
          stop()
          break
        }
        if (erase.includes(byte)) length = withoutLast(line, length)
        else if (length < longest) length = line.writeUInt8(byte, length)
      }
      typed.fill(0)
    }
    stdin.on('data', read).once('end', hungUp).once('error', hungUp)
    // After the first question it stays paused otherwise.
    stdin.resume()
  })
}

/** A terminal that has gone has no modes; reading tells of it. */
function setRawMode(isRaw: boolean): void {
  try {
    process.stdin.setRawMode(isRaw)
  } catch (error) {
    if (systemCode(error) !== 'EIO') throw error
  }
}

/** As a terminal does it at Ctrl-Z: all that run in its foreground stop. Without a shell that could go on with us, nothing does. */
function stop(): void {
  setRawMode(false)
  process.kill(0, 'SIGTSTP')
  setRawMode(true)
}

/** A character takes several bytes in UTF-8; all but its first begin with the bits 10. */
function withoutLast(line: Buffer, length: number): number {
  let end = Math.max(0, length - 1)
  while (end > 0 && ((line[end] ?? 0) & 0xc0) === 0x80) end -= 1
  line.fill(0, end, length)
  return end
}
