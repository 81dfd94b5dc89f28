import type { Command } from '../command.ts'

export interface CommandEntry {
  readonly name: string
  /** One line for the list of commands. */
  readonly summary: string
  /** Loaded only when it is used: the libraries of one command are no concern of another's start. */
  load(): Promise<Command>
}

/** Every subcommand, in the order in which `strongroom --help` lists them. */
export const commands: readonly CommandEntry[] = [
  {
    name: 'agent',
    summary: 'run the agent that hands MariaDB its data keys',
    load: async () => (await import('./agent.ts')).agent,
  },
  {
    name: 'kms',
    summary: 'run the KMS service',
    load: async () => (await import('./kms.ts')).kms,
  },
  {
    name: 'keys',
    summary: 'list, create and rotate data keys',
    load: async () => (await import('./keys.ts')).keys,
  },
  {
    name: 'demo',
    summary: 'show all of it on this machine, in a scratch directory',
    load: async () => (await import('./demo.ts')).demo,
  },
]
