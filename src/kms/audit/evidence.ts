import { existsSync } from 'node:fs'
import { z } from 'zod'
import { StrongroomError } from '../../errors.ts'
import { askRunningService } from '../admin/client.ts'
import type { AdminHandlers } from '../admin/handlers.ts'
import type { RootKey } from '../seal/root-key.ts'
import type { SealHelp } from '../seal/seal.ts'
import { dataFiles, openDataDirectory } from '../state/data-directory.ts'
import type { AuditTrail } from './audit-trail.ts'
import { ChainKey, chainKeyPurpose } from './chain.ts'
import { DatabaseHead } from './head.ts'
import type { Verdict } from './trail-verifier.ts'
import { verifyTrail } from './verify-trail.ts'

const path = '/audit-evidence'
const evidence = z.object({
  key: z.string().regex(/^[0-9a-f]{64}$/),
  head: z.object({ sequence: z.number(), hash: z.string() }),
})

/** What the running service tells at its admin socket for the verifying of its trail. */
export function auditHandlers(trail: AuditTrail, rootKey: RootKey): AdminHandlers {
  return {
    [path]: () => {
      const key = rootKey.derive(chainKeyPurpose)
      try {
        return { key: key.toString('hex'), head: trail.durable.last }
      } finally {
        key.fill(0)
      }
    },
  }
}

/**
 * Verifies the trail of a data directory with its key and its head: while a service runs on it they come through its
 * admin socket, otherwise the directory is opened for a moment.
 */
export async function verifyDataDirectory(directory: string, help: SealHelp = {}): Promise<Verdict> {
  const files = dataFiles(directory)
  if (!existsSync(files.database)) {
    throw new StrongroomError(
      'SR_KMS_DATABASE_MISSING',
      `${files.database} is missing: name the data directory of a KMS service, or the files of a trail`,
    )
  }
  const answer = await askRunningService(directory, path)
  const { key, head } =
    answer === undefined ? await storedEvidence(directory, help) : toldEvidence(answer.body)
  return verifyTrail(files.auditTrail, { key, head })
}

async function storedEvidence(
  directory: string,
  help: SealHelp,
): Promise<{ key: ChainKey; head: ReturnType<DatabaseHead['read']> }> {
  const data = await openDataDirectory(directory, help)
  try {
    const key = new ChainKey(data.rootKey.derive(chainKeyPurpose))
    return { key, head: new DatabaseHead(data.database, key).read() }
  } finally {
    data.close()
  }
}

function toldEvidence(body: unknown): { key: ChainKey; head: { sequence: number; hash: string } } {
  const { key, head } = evidence.parse(body)
  return { key: new ChainKey(Buffer.from(key, 'hex')), head }
}
