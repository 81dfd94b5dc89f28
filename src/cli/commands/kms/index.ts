import type { CommandEntry } from '../../command.ts'

/** The subcommands of `strongroom kms`, which itself is the daemon. */
export const kmsCommands: readonly CommandEntry[] = [
  {
    name: 'audit',
    summary: 'check that the audit trail is as it was written',
    load: async () => (await import('./audit.ts')).audit,
  },
  {
    name: 'simulate',
    summary: 'who may do what, and which statement says so',
    load: async () => (await import('./simulate.ts')).simulate,
  },
  {
    name: 'backup',
    summary: 'copy the database while the service runs',
    load: async () => (await import('./backup.ts')).backup,
  },
  {
    name: 'restore',
    summary: 'check a backup, and make a data directory of it',
    load: async () => (await import('./restore.ts')).restore,
  },
  {
    name: 'reseal',
    summary: 'change what protects the root key',
    load: async () => (await import('./reseal.ts')).reseal,
  },
]
