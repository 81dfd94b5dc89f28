import type { CommandEntry } from '../command.ts'

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
