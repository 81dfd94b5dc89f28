import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

/**
 * The command that runs systemd-nspawn with these options, as container NAME. It ends with this process, and all of the container with it,
 * however that may be: killing systemd-nspawn alone would leave the container's first process, but not that of a PID namespace around it.
 */
export function containerCommand(name: string, options: readonly string[]): [string, string[]] {
  const enter = cgroupsOf(name).map((folder) => `mkdir -p ${folder} && echo $$ > ${folder}/cgroup.procs && `)
  const alone = [
    'setpriv',
    '--pdeathsig',
    'KILL',
    'unshare',
    '--pid',
    '--fork',
    '--kill-child',
    '--mount-proc',
  ]
  // Nothing of this host changes, and its systemd, if there is one, isn't asked.
  const apart = ['--register=no', '--keep-unit', '--link-journal=no', '--resolv-conf=off', '--timezone=off']
  const nspawn = ['systemd-nspawn', '--quiet', `--machine=${name}`, ...apart, ...options]
  return ['sh', ['-c', `${enter.join('')} exec "$@"`, 'sh', ...alone, ...nspawn]]
}

/** Empty folders that a container leaves on its host. */
export function tracesOf(name: string): string[] {
  return [...cgroupsOf(name), join('/run/systemd/nspawn/propagate', name)]
}

/** Shell that removes folders without files, which its arguments name. */
export const removeEmptyFolders = 'for folder; do find "$folder" -depth -type d -exec rmdir {} +; done'

/** Once the container has ended. */
export function removeTraces(name: string): void {
  spawnSync('sh', ['-c', removeEmptyFolders, 'sh', ...tracesOf(name)])
}

/** In each hierarchy in which systemd-nspawn makes groups: without one of its own, all containers would have the same ones. */
function cgroupsOf(name: string): string[] {
  return ['', 'unified', 'systemd']
    .map((hierarchy) => join('/sys/fs/cgroup', hierarchy))
    .filter((folder) => existsSync(join(folder, 'cgroup.procs')))
    .map((folder) => join(folder, name))
}
