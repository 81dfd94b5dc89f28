import { spawn } from 'node:child_process'
import { runWatchdog } from '../../../master-key-window/watchdog.ts'
import type { Command } from '../../command.ts'

export const watchdog: Command = {
  help: `
  strongroom master-key window KEY

starts this by itself. It reads what to open and when to close it from its standard input, and closes everything when
that ends.
`,
  async run() {
    await runWatchdog({ input: process.stdin, output: process.stdout, tellSystem })
    return 0
  },
}

/** Node.js can't write to /dev/log. Where there is no `logger`, the file of the duty still says how it stands. */
function tellSystem(message: string): void {
  const args = ['-t', 'strongroom', '-p', 'auth.warning', '--', message]
  spawn('logger', args, { stdio: 'ignore' }).on('error', () => undefined)
}
