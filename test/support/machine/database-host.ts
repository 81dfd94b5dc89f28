import { execFile } from 'node:child_process'
import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { root } from '../../../scripts/release-tree.ts'
import { freePort } from '../../../src/cli/demo/free-port.ts'
import { Stack } from '../../../src/cli/demo/stack.ts'
import { debianTree } from './shared-tree.ts'
import { Machine } from './machine.ts'
import { type Remove, scratchFolder } from './scratch-folder.ts'

/** Where a release lies on a database host. */
const installed = 'opt/strongroom'

/**
 * A machine with MariaDB and our release on it, as its distribution and ours leave them: nothing is configured. The KMS service
 * runs on this host, with a master key and a user who may use it.
 */
export class DatabaseHost {
  readonly machine: Machine
  readonly kms: Stack
  /** For the agent's Vault listener; the machine shares this host's loopback. */
  readonly vaultPort: number
  readonly #removeFiles: Remove

  static async create(): Promise<DatabaseHost> {
    const { folder: scratch, remove } = scratchFolder('strongroom-machine-')
    const kms = await Stack.create()
    try {
      const tree = join(scratch, 'tree')
      await allOf(debianTree(tree), unpackRelease(scratch), startKms(kms))
      mkdirSync(join(tree, installed), { recursive: true })
      cpSync(join(scratch, 'release'), join(tree, installed), { recursive: true })
      const machine = await Machine.boot(tree, join(scratch, 'console'))
      const host = new DatabaseHost(machine, kms, await freePort(), remove)
      await machine.run(`systemctl is-system-running --wait`)
      return host
    } catch (error) {
      await kms.remove()
      await remove()
      throw error
    }
  }

  private constructor(machine: Machine, kms: Stack, vaultPort: number, removeFiles: Remove) {
    this.machine = machine
    this.kms = kms
    this.vaultPort = vaultPort
    this.#removeFiles = removeFiles
  }

  async remove(): Promise<void> {
    await this.machine.stop()
    await this.kms.remove()
    await this.#removeFiles()
  }
}

/** As Promise.all, but when one fails the others have ended too, and write no more. */
async function allOf(...works: Promise<void>[]): Promise<void> {
  await Promise.allSettled(works)
  await Promise.all(works)
}

async function startKms(kms: Stack): Promise<void> {
  await kms.startKms()
  await kms.makeMasterKey()
}

/** The archive that we publish, with the runtime that it needs on a Debian whose own is too old. */
async function unpackRelease(scratch: string): Promise<void> {
  const archive = join(scratch, 'release.tar.gz')
  const release = join(scratch, 'release')
  const run = promisify(execFile)
  const script = join(root, 'scripts/release-archive.ts')
  const flags = ['--disable-warning=ExperimentalWarning', script, '--own-packages', '--output', archive]
  await run(process.execPath, flags)
  mkdirSync(join(release, 'node_modules/node/bin'), { recursive: true })
  await run('tar', ['--extract', '--file', archive, '--directory', release, '--strip-components=1'])
  cpSync(process.execPath, join(release, 'node_modules/node/bin/node'))
}
