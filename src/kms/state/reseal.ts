import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { StrongroomError } from '../../errors.ts'
import { dataFiles, openDataDirectory } from './data-directory.ts'
import type { SealHelp, SealKind, SealRequest } from '../seal/seal.ts'

/** Changes what protects the root key of a service that does not run; the root key stays the same. */
export async function reseal(
  directory: string,
  request: SealRequest,
  help: { readonly open: SealHelp; readonly make: SealHelp },
): Promise<{ from: SealKind; to: SealKind }> {
  const { database } = dataFiles(resolve(directory))
  if (!existsSync(database)) {
    throw new StrongroomError(
      'SR_KMS_DATABASE_MISSING',
      `${database} is missing: name the data directory of a KMS service`,
    )
  }
  const data = await openDataDirectory(directory, help.open)
  try {
    await data.files.rootKey.keep(data.rootKey, data.serviceId, request, help.make)
    return { from: data.sealKind, to: request.kind }
  } finally {
    data.close()
  }
}
