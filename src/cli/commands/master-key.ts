import { StrongroomError } from '../../errors.ts'
import type { Command } from '../command.ts'

export const masterKey: Command = {
  help: `
  strongroom master-key window alias/mariadb --for 2m --until-ready 'ssh db1 mariadb-admin ping'
  strongroom master-key disable alias/mariadb

For the administrator who decides when a database may start, from another host than the database's.

  master-key enable KEY     every server that its policy lets use it can start, until it is disabled
  master-key disable KEY    servers that run go on; none can start, none gets a new key id
  master-key window KEY...  enables it for the start of a server and disables it again, whatever happens

KEY is an id, ARN, alias or alias ARN. Each has a --help of its own; docs/master-key-windows.md tells more.
`,
  subcommands: [
    {
      name: 'enable',
      summary: 'enable a master key',
      load: async () => (await import('./master-key/state-change.ts')).enable,
    },
    {
      name: 'disable',
      summary: 'disable a master key',
      load: async () => (await import('./master-key/state-change.ts')).disable,
    },
    {
      name: 'window',
      summary: 'enable a master key for the start of a server',
      load: async () => (await import('./master-key/window.ts')).window,
    },
    {
      name: 'watchdog',
      summary: 'started by window: has the duty to disable',
      load: async () => (await import('./master-key/watchdog.ts')).watchdog,
    },
  ],
  run(args) {
    const said = args[0] === undefined ? '' : `, not "${args[0]}"`
    throw new StrongroomError('SR_USAGE', `master-key takes enable, disable or window${said}`)
  },
}
