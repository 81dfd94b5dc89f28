import type { Command } from '../command.ts'
import { agent } from './agent.ts'
import { demo } from './demo.ts'
import { keys } from './keys.ts'
import { kms } from './kms.ts'

/** Every subcommand, in the order in which `strongroom --help` lists them. */
export const commands: readonly Command[] = [agent, kms, keys, demo]
