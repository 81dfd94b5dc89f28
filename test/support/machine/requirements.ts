import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { messageOf } from '../../../src/errors.ts'
import { containerCommand, removeTraces } from './container.ts'

export interface Mirror {
  readonly url: string
  /** Such as bookworm. */
  readonly release: string
}

const programs = ['debootstrap', 'systemd-nspawn', 'nsenter', 'setpriv', 'unshare', 'tar']

/** Milliseconds. */
const mirrorAnswersWithin = 5000

/** Why this host can't boot a Debian tree in a container; undefined where it can. Takes a fraction of a second. */
export async function whyNoMachine(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'only root can boot a container'
  const missing = programs.filter((program) => !isInstalled(program))
  if (missing.length > 0) return `not installed: ${missing.join(', ')}`
  if (!/^ID=debian$/m.test(readFileSync('/etc/os-release', 'utf8')))
    return 'the tree would be made of the packages of this host, and it is no Debian'
  return whyNoContainer() ?? (await whyNoMirror())
}

/** Where this host takes its own packages from. Throws where it says nothing that debootstrap could use. */
export function ownMirror(): Mirror {
  const codename = /^VERSION_CODENAME=(\S+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1]
  const format = ['--format', '$(REPO_URI) $(CODENAME) $(COMPONENT)', 'Created-By: Packages']
  const targets = execFileSync('apt-get', ['indextargets', ...format], { encoding: 'utf8' }).split('\n')
  for (const target of targets) {
    const [url = '', release, component] = target.split(' ')
    if (release !== undefined && release === codename && component === 'main') return { url, release }
  }
  throw new Error(`the apt sources of this host name no mirror for main of ${codename ?? 'its release'}`)
}

function isInstalled(program: string): boolean {
  return spawnSync('sh', ['-c', 'command -v "$1"', 'sh', program]).status === 0
}

function whyNoContainer(): string | undefined {
  const name = `strongroom-probe-${process.pid}`
  const [command, args] = containerCommand(name, ['--volatile=yes', '--directory=/', '/bin/true'])
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8', timeout: 20_000 })
  removeTraces(name)
  if (status === 0) return undefined
  return `systemd-nspawn can't run /bin/true in a container here: ${error === undefined ? stderr.trim() : messageOf(error)}`
}

async function whyNoMirror(): Promise<string | undefined> {
  try {
    const { url, release } = ownMirror()
    const file = `${url.replace(/\/$/, '')}/dists/${release}/InRelease`
    const { ok, status } = await fetch(file, {
      method: 'HEAD',
      signal: AbortSignal.timeout(mirrorAnswersWithin),
    })
    return ok ? undefined : `${file} answers ${status}`
  } catch (error) {
    return `the Debian mirror can't be reached: ${messageOf(error)}`
  }
}
