import { StrongroomError } from '../../errors.ts'
import type { Command } from '../command.ts'

export const mariadb: Command = {
  help: `
  strongroom mariadb configure --master-key-id alias/mariadb --region eu-central-1

  configure   make this host's MariaDB take its keys from the agent

strongroom mariadb configure --help tells more.
`,
  subcommands: [
    {
      name: 'configure',
      summary: "make this host's MariaDB take its keys from the agent",
      load: async () => (await import('./mariadb/configure.ts')).configure,
    },
  ],
  async run() {
    await Promise.resolve()
    throw new StrongroomError('SR_USAGE', 'mariadb takes configure')
  },
}
