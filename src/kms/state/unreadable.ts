import { z } from 'zod'
import { StrongroomError } from '../../errors.ts'
import { isFromSqlite, isSqliteError } from './sqlite-error.ts'

/** Whether a row was read and its values are none that this service writes; a number may be too large for JavaScript. */
export function isUnreadable(error: unknown): boolean {
  return error instanceof z.ZodError || error instanceof SyntaxError || error instanceof RangeError
}

/**
 * Runs `read`, which reads what a start needs whole. Throws SR_KMS_DATABASE_DAMAGED when it finds what this service did
 * not write.
 */
export function readingWhole<T>(what: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof StrongroomError || isFromElsewhere(error)) throw error
    throw new StrongroomError(
      'SR_KMS_DATABASE_DAMAGED',
      `the database is damaged: ${what} cannot be read; bring it back from a backup`,
      { cause: error },
    )
  }
}

function isFromElsewhere(error: unknown): boolean {
  return isFromSqlite(error) && !isSqliteError(error, 'corrupt')
}
