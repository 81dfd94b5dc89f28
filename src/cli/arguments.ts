import { parseArgs, type ParseArgsConfig } from 'node:util'
import { messageOf, StrongroomError } from '../errors.ts'

/** `parseArgs` with its complaints as SR_USAGE. */
export function parseArguments<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config)
  } catch (error) {
    throw new StrongroomError('SR_USAGE', messageOf(error), { cause: error })
  }
}
