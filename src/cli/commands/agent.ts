import { pino } from 'pino'
import { type Agent, startAgent } from '../../agent/agent.ts'
import { readAgentConfig } from '../../agent/config.ts'
import { notifySystemd } from '../../agent/notify.ts'
import { messageOf } from '../../errors.ts'
import type { Log } from '../../keyring/log.ts'
import { parseArguments } from '../arguments.ts'
import type { Command } from '../command.ts'
import { endOfService } from '../end-of-service.ts'
import { print } from '../terminal.ts'

export const agent: Command = {
  help: `
  strongroom agent --config /etc/strongroom/agent.conf

Hands the data keys of its keyrings to MariaDB, and keeps only their wrapped form on disk. Prints the address of
its listener when it listens, "ready" when every stored key is unwrapped (systemd is told, too), and logs to
stderr. SIGHUP reads the token files again, SIGTERM ends it.

  --config FILE   the configuration (default: /etc/strongroom/agent.conf)
`,
  async run(args) {
    const { values } = parseArguments({
      args: [...args],
      options: { config: { type: 'string', default: '/etc/strongroom/agent.conf' } },
    })
    const config = readAgentConfig(values.config)
    const log = pino({ level: config.logLevel, base: null }, pino.destination({ fd: 2, sync: true }))
    const service = await startAgent(config, log)
    print(`listening on ${service.vaultUrl}`)
    log.info({ url: service.vaultUrl }, 'listening')
    process.on('SIGHUP', () => {
      reloadTokens(service, log)
    })
    void service.whenReady().then(async () => {
      await notifySystemd(log, 'READY=1', 'STATUS=every stored key is unwrapped')
      log.info({}, 'ready: every stored key is unwrapped')
      print('ready')
    })
    const signal = await endOfService()
    log.info({ signal }, 'stopping')
    await notifySystemd(log, 'STOPPING=1')
    await service.stop()
    log.info({}, 'stopped')
    return 0
  },
}

function reloadTokens(service: Agent, log: Log): void {
  try {
    service.reloadTokens()
    log.info({}, 'read the token files again')
  } catch (error) {
    log.error({}, `${messageOf(error)}; the former tokens stay valid`)
  }
}
