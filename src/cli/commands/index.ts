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
    name: 'provision',
    summary: "make a database server's user and master key in AWS",
    load: async () => (await import('./provision.ts')).provision,
  },
  {
    name: 'mariadb',
    summary: "make this host's MariaDB take its keys from the agent",
    load: async () => (await import('./mariadb.ts')).mariadb,
  },
  {
    name: 'master-key',
    summary: 'enable and disable a master key, or enable it for a moment',
    load: async () => (await import('./master-key.ts')).masterKey,
  },
  {
    name: 'with-mfa',
    summary: 'start the database with an MFA code, by credentials that end after minutes',
    load: async () => (await import('./with-mfa.ts')).withMfa,
  },
  {
    name: 'doctor',
    summary: 'find what is wrong before it does harm; changes nothing',
    load: async () => (await import('./doctor.ts')).doctor,
  },
  {
    name: 'demo',
    summary: 'show all of it on this machine, in a scratch directory',
    load: async () => (await import('./demo.ts')).demo,
  },
]
