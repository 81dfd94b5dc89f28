import { once } from 'node:events'
import { createInterface } from 'node:readline/promises'

/** Asks at the terminal. Anything else than y or yes is no, the end of input too. */
export async function askYesOrNo(question: string): Promise<boolean> {
  // Without editing of its own: the terminal's line is enough, and Ctrl-C ends us before anything was done.
  const terminal = createInterface({ input: process.stdin, output: process.stderr, terminal: false })
  try {
    const closed = once(terminal, 'close').then(() => 'no')
    const answer = await Promise.race([terminal.question(`${question} [y/N]: `), closed])
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    terminal.close()
  }
}
