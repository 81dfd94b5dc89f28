import { closeSync, openSync } from 'node:fs'
import { backup, type DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { messageOf, StrongroomError } from '../../errors.ts'
import type { AdminHandlers } from '../admin/handlers.ts'
import { giveToOwnerOfDirectory } from '../durable-file.ts'

/** Copied between two turns of the event loop: 400 KB, a millisecond or two. */
const pagesAtOnce = 100

/**
 * Copies the database as it is at one moment, page by page, while requests are answered: what is written meanwhile is
 * in the copy too. The target must not exist.
 */
export async function copyDatabase(database: DatabaseSync, target: string): Promise<void> {
  try {
    closeSync(openSync(target, 'wx', 0o600))
    giveToOwnerOfDirectory(target)
    await backup(database, target, { rate: pagesAtOnce })
  } catch (error) {
    throw new StrongroomError(
      'SR_KMS_BACKUP',
      `cannot copy the database to ${target} (${messageOf(error)}): the service's user must be able to write there, ` +
        'and the disk must have space',
      { cause: error },
    )
  }
}

export const copyPath = '/copy-database'
const copyRequest = z.strictObject({ target: z.string().startsWith('/') })

/**
 * What the running service does for `strongroom kms backup`; the rest needs no service. `record` puts into the audit
 * trail, before anything is copied, that the database is.
 */
export function backupHandlers(
  database: DatabaseSync,
  record: (details: { target: string }) => Promise<void>,
): AdminHandlers {
  return {
    [copyPath]: async (body) => {
      const { success, data } = copyRequest.safeParse(body)
      if (!success) throw new StrongroomError('SR_KMS_ADMIN', 'the request names no target')
      await record(data)
      await copyDatabase(database, data.target)
    },
  }
}
