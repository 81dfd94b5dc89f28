import { type Agent, startAgent } from '../../agent/agent.ts'
import { readAgentConfig } from '../../agent/config.ts'
import { notifySystemd } from '../../agent/notify.ts'
import { ServiceStatus } from '../../agent/service-status.ts'
import { messageOf } from '../../errors.ts'
import type { Log } from '../../keyring/log.ts'
import { parseArguments } from '../arguments.ts'
import type { Command } from '../command.ts'
import { openDaemonLog } from '../daemon-log.ts'
import { endOfService } from '../end-of-service.ts'
import { print } from '../terminal.ts'

export const agent: Command = {
  help: `
  strongroom agent --config /etc/strongroom/agent.conf

Hands the data keys of its keyrings to MariaDB, and keeps only their wrapped form on disk. Prints the addresses
of its listeners when it listens, "ready" when every stored key is unwrapped (systemd is told, too), and logs to
stderr. SIGHUP reads the token files again, SIGTERM ends it.

  --config FILE   the configuration (default: /etc/strongroom/agent.conf)
`,
  async run(args) {
    const { values } = parseArguments({
      args: [...args],
      options: { config: { type: 'string', default: '/etc/strongroom/agent.conf' } },
    })
    try {
      return await serve(values.config)
    } catch (error) {
      // What we print, the journal can't always tell to be this unit's, as we have gone when it looks.
      await notifySystemd(openDaemonLog('error').log, `STATUS=${messageOf(error)}`)
      throw error
    }
  },
}

async function serve(configFile: string): Promise<number> {
  const config = readAgentConfig(configFile)
  const { log, flush } = openDaemonLog(config.logLevel)
  const status = new ServiceStatus(log)
  const starting = startAgent(config, log, (keyring, waiting) => {
    status.take(keyring, waiting)
  })
  // Before all else: without a listener the signal would end us.
  process.on('SIGHUP', () => {
    void starting.then(
      (started) => {
        reloadTokens(started, log)
      },
      () => undefined,
    )
  })
  const ended = endOfService()
  const service = await starting
  for (const address of service.addresses) {
    print(`listening on ${address}`)
    log.info({ url: address }, 'listening')
  }
  void service.whenReady().then(async (waiting) => {
    const state = readyState(waiting)
    await status.ready(state)
    log.info({}, `ready: ${state}`)
    print('ready')
  })
  log.info({ signal: await ended }, 'stopping')
  await notifySystemd(log, 'STOPPING=1')
  await service.stop()
  log.info({}, 'stopped')
  await flush()
  return 0
}

function readyState(waiting: readonly string[]): string {
  if (waiting.length === 0) return 'every stored key is unwrapped'
  return `the master key of ${waiting.join(', ')} will be what MariaDB's options say; every other stored key is unwrapped`
}

function reloadTokens(service: Agent, log: Log): void {
  try {
    service.reloadTokens()
    log.info({}, 'read the token files again')
  } catch (error) {
    log.error({}, `${messageOf(error)}; the former tokens stay valid`)
  }
}
