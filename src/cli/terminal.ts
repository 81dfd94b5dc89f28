/*
 * The rules of output:
 * - What a command is asked for goes to stdout, everything else to stderr.
 * - A message begins with "strongroom: ", in lower case, and ends without a full stop.
 * - An error says its code last, in brackets: docs/errors.md has a section for each.
 * - Only a terminal sees progress that is drawn over; everything else gets plain lines.
 */
import { messageOf, StrongroomError, systemCode } from '../errors.ts'

export function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

export function note(message: string): void {
  process.stderr.write(`strongroom: ${message}\n`)
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
