import { join } from 'node:path'
import type { Logger } from 'pino'
import type { DataDirectory } from '../state/data-directory.ts'
import { AuditTrail } from './audit-trail.ts'
import { ChainKey, chainKeyPurpose } from './chain.ts'
import { Cursor } from './forward/cursor.ts'
import { openDestination } from './forward/open-destination.ts'
import { Forwarder } from './forward/forwarder.ts'
import { DatabaseHead } from './head.ts'
import { TrailLookup } from './lookup.ts'
import type { AuditOptions } from './options.ts'

const defaultMaxSize = 100 * 1024 * 1024

/** The audit trail of a service. */
export interface Audit {
  readonly trail: AuditTrail
  readonly lookup: TrailLookup
  /** The number of records that wait to be forwarded; undefined when none are. */
  readonly backlog: () => number | undefined
  close(): Promise<void>
}

/** Opens the trail of a data directory, with its chain and its head, and what forwards it. */
export async function openAudit(
  { files, database, rootKey, account }: DataDirectory,
  options: AuditOptions,
  log: Logger,
): Promise<Audit> {
  const { maxSize = defaultMaxSize, keepDays, forward } = options
  const destination = forward && openDestination(forward)
  const key = new ChainKey(rootKey.derive(chainKeyPurpose))
  const path = files.auditTrail
  const head = new DatabaseHead(database, key)
  const trail = await AuditTrail.open({ path, key, head, account, log, maxSize, keepDays })
  let forwarder: Forwarder | undefined
  const close = async (): Promise<void> => {
    try {
      await forwarder?.close()
    } finally {
      await trail.close()
    }
  }
  try {
    if (destination !== undefined) {
      const cursor = await Cursor.open(join(files.directory, 'audit-forward.json'))
      await beginAgainBehind(cursor, trail, log)
      forwarder = new Forwarder(trail, path, { cursor, destination, log })
    }
    trail.removeOld()
    const lookup = new TrailLookup(path, () => trail.durable)
    return { trail, lookup, backlog: () => forwarder?.backlog(), close }
  } catch (error) {
    await close()
    throw error
  }
}

/** The directory's database and trail were brought back from a backup: what comes now was never sent under its number. */
async function beginAgainBehind(cursor: Cursor, trail: AuditTrail, log: Logger): Promise<void> {
  const { sequence } = trail.durable.last
  if (cursor.saved <= sequence) return
  log.warn(
    { forwarded: cursor.saved, last: sequence },
    'more of the audit trail was forwarded than there is of it: all that there is is sent again',
  )
  await cursor.save(0)
}
