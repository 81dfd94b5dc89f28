const enter = [0x0a, 0x0d]
const endOfInput = 0x04
const interrupt = 0x03
const erase = [0x08, 0x7f]
const longest = 1024

/** Resolves to the bytes that were typed, which the caller zeroes. Throws `interrupted` for Ctrl-C. */
export type HiddenPrompt = (question: string, interrupted: Error) => Promise<Buffer>

/** Asks at the terminal, without showing what is typed. Undefined: there is no terminal. */
export function hiddenPrompt(): HiddenPrompt | undefined {
  return process.stdin.isTTY && process.stderr.isTTY ? ask : undefined
}

const ask: HiddenPrompt = async (question, interrupted) => {
  const { stdin, stderr } = process
  // First: what is typed ahead of it would show.
  stdin.setRawMode(true)
  stderr.write(question)
  try {
    return await readLine(interrupted)
  } finally {
    stdin.setRawMode(false)
    stdin.pause()
    stderr.write('\n')
  }
}

async function readLine(interrupted: Error): Promise<Buffer> {
  const line = Buffer.alloc(longest)
  let length = 0
  return await new Promise((resolve, reject) => {
    const finish = (error?: Error): void => {
      process.stdin.off('data', read)
      const typed = Buffer.from(line.subarray(0, length))
      line.fill(0)
      if (error === undefined) resolve(typed)
      else reject(error)
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
        if (erase.includes(byte)) length = withoutLast(line, length)
        else if (length < longest) length = line.writeUInt8(byte, length)
      }
      typed.fill(0)
    }
    process.stdin.on('data', read)
    // After the first question it stays paused otherwise.
    process.stdin.resume()
  })
}

/** A character takes several bytes in UTF-8; all but its first begin with the bits 10. */
function withoutLast(line: Buffer, length: number): number {
  let end = Math.max(0, length - 1)
  while (end > 0 && ((line[end] ?? 0) & 0xc0) === 0x80) end -= 1
  line.fill(0, end, length)
  return end
}
