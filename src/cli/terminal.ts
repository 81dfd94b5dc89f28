/*
 * The rules of output:
 * - What a command is asked for goes to stdout, everything else to stderr.
 * - A message begins with "strongroom: ", in lower case, and ends without a full stop.
 * - An error says its code last, in brackets: docs/errors.md has a section for each.
 * - What others have written, such as a host's last words, moves no cursor and draws nothing over.
 * - Only a terminal sees progress that is drawn over; everything else gets plain lines.
 */
import { messageOf, StrongroomError, systemCode } from '../errors.ts'
import { inLines } from '../plain-text.ts'

export function print(line: string): void {
  write(process.stdout, `${inLines(line)}\n`)
}

export function note(message: string): void {
  write(process.stderr, `strongroom: ${inLines(message)}\n`)
}

/** Where nobody reads any more (EPIPE) the work goes on: a command that runs is waited for, a key is disabled again. */
export function write(stream: NodeJS.WriteStream, text: string): void {
  if (stream.listenerCount('error') === 0) stream.on('error', () => undefined)
  stream.write(text)
}

export function printError(error: unknown): void {
  if (error instanceof StrongroomError) note(`${error.message}${reasonOf(error)} [${error.code}]`)
  else
    note(
      `this should not have happened: ${error instanceof Error ? (error.stack ?? messageOf(error)) : String(error)}`,
    )
}

/** The system's own word for it (EACCES …), where the message has not got it. */
function reasonOf(error: StrongroomError): string {
  const reason = systemCode(error.cause)
  return reason === undefined || error.message.includes(reason) ? '' : ` (${reason})`
}
