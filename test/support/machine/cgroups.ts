import { existsSync, readdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Groups of a machine's own, in each hierarchy in which systemd-nspawn makes groups beneath its own: without them two
 * machines on one host would have the same ones.
 */
export class Cgroups {
  readonly #folders: readonly string[]

  constructor(name: string) {
    // Where systemd runs, it makes them.
    const hierarchies = existsSync('/run/systemd/system') ? [] : ['', 'unified', 'systemd']
    this.#folders = hierarchies
      .map((hierarchy) => join('/sys/fs/cgroup', hierarchy))
      .filter((folder) => existsSync(join(folder, 'cgroup.procs')))
      .map((folder) => join(folder, name))
  }

  /** Shell that goes into them, and then on. */
  enter(command: string): string {
    const steps = this.#folders.map((folder) => `mkdir -p ${folder} && echo $$ > ${folder}/cgroup.procs`)
    return [...steps, command].join(' && ')
  }

  /** Once the machine has ended. */
  remove(): void {
    for (const folder of this.#folders) removeEmpty(folder)
  }
}

function removeEmpty(folder: string): void {
  if (!existsSync(folder)) return
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) removeEmpty(join(folder, entry.name))
  rmdirSync(folder)
}
