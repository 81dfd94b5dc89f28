import { join } from 'node:path'
import { StrongroomError } from '../errors.ts'

/** Where duties are written down when nothing else is said. It outlives a reboot, unlike /run. Throws SR_USAGE. */
export function defaultStateDirectory(
  environment: NodeJS.ProcessEnv = process.env,
  userId: number | undefined = process.getuid?.(),
): string {
  const ours = join('strongroom', 'master-key-windows')
  const { XDG_STATE_HOME: state = '', HOME: home = '' } = environment
  if (state.startsWith('/')) return join(state, ours)
  if (userId === 0) return join('/var/lib', ours)
  if (home.startsWith('/')) return join(home, '.local', 'state', ours)
  throw new StrongroomError(
    'SR_USAGE',
    'HOME is not set, so it is not known where to write down what has to be disabled again: name a directory with --state-directory',
  )
}
