import { randomBytes } from 'node:crypto'
import { type FileHandle, link, open, rename, stat, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { systemCode } from '../../errors.ts'

/** Owner reads and writes, group reads: a backup runs as a member of it. */
const fileMode = 0o640

/** Hidden, and never of the names that MariaDB's plugin, `mariadb-backup` or we take for a key. */
const leftover = /^\.aws-kms-key\.[0-9a-f]{16}\.tmp$/

const leftoverAge = 60_000

/**
 * Makes a file that must not exist yet, its bytes synced. Its name is durable once the directory is synced, too.
 * Throws the system's error, EEXIST where the name is taken; a file then stands there whole or not at all.
 */
export async function createFile(path: string, bytes: Buffer): Promise<void> {
  await throughTemporary(path, bytes, async (temporary) => {
    // Unlike rename(2), link(2) fails where the name is taken.
    await link(temporary, path)
    await unlink(temporary)
  })
}

/**
 * Puts a whole new file, its bytes synced, in the place of another; whoever reads sees one or the other. `check` is
 * asked last, when all else is done, and may throw.
 */
export async function replaceFile(path: string, bytes: Buffer, check: () => Promise<void>): Promise<void> {
  await throughTemporary(path, bytes, async (temporary) => {
    await check()
    await rename(temporary, path)
  })
}

/** fsync(2): a new name is durable only once its directory is. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } catch (error) {
    // Some file systems have no such thing (fsync(2), EINVAL); there is no more that could be done there.
    if (systemCode(error) !== 'EINVAL') throw error
  } finally {
    await handle.close()
  }
}

/** Removes what a killed process left unfinished, but not what another may be writing now. */
export async function removeLeftovers(directory: string, fileNames: readonly string[]): Promise<void> {
  for (const fileName of fileNames.filter((name) => leftover.test(name))) {
    const path = join(directory, fileName)
    const age = await stat(path).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    )
    // In a directory that can't be written it stays, and does no harm.
    if (age > leftoverAge) await unlink(path).catch(() => undefined)
  }
}

async function throughTemporary(
  path: string,
  bytes: Buffer,
  publish: (temporary: string) => Promise<void>,
): Promise<void> {
  const directory = dirname(path)
  const temporary = join(directory, `.aws-kms-key.${randomBytes(8).toString('hex')}.tmp`)
  try {
    const file = await open(temporary, 'wx', fileMode)
    try {
      await giveToGroupOf(directory, file)
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await publish(temporary)
  } catch (error) {
    await unlink(temporary).catch(() => undefined)
    throw error
  }
}

/** As a file made by the database would be, so that its user can read and copy it. */
async function giveToGroupOf(directory: string, file: FileHandle): Promise<void> {
  const [wanted, given] = await Promise.all([stat(directory), file.stat()])
  // Only root and members of that group may do so; for others the group stays their own.
  if (wanted.gid !== given.gid) await file.chown(given.uid, wanted.gid).catch(() => undefined)
  // The umask may have taken the group's right away.
  await file.chmod(fileMode)
}
