import type { Command } from '../command.ts'
import { agent } from './agent.ts'

/** Every subcommand, in the order in which `strongroom --help` lists them. */
export const commands: readonly Command[] = [agent]
