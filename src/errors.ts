/**
 * Every error code of the project with what it means; docs/errors.md says what to do about each.
 * A code is stable: it may be retired, never reused.
 */
export const errorCodes = {
  SR_USAGE: 'the command line is not one that Strongroom knows',
  SR_CONFIG_INVALID: 'a configuration file cannot be read or an option in it is wrong',
} as const

export type ErrorCode = keyof typeof errorCodes

/** An error that an operator reads: what happened, where, and what to do. Its text never holds a secret. */
export class StrongroomError extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'StrongroomError'
    this.code = code
  }
}

/** The message of anything that was thrown, with the messages of its causes. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message}: ${messageOf(error.cause)}`
}

/** The `code` of a Node.js system error (`ENOENT`, `EEXIST` …), or undefined. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
