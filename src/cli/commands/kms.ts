import { StrongroomError } from '../../errors.ts'
import { openKmsService } from '../../kms/service.ts'
import { parseArguments } from '../arguments.ts'
import type { Command } from '../command.ts'
import { openDaemonLog } from '../daemon-log.ts'
import { endOfService } from '../end-of-service.ts'
import { print } from '../terminal.ts'

const help = `  strongroom kms --data /var/lib/strongroom-kms
  AWS_SHARED_CREDENTIALS_FILE=/var/lib/strongroom-kms/root-access-key \\
    aws --endpoint-url http://127.0.0.1:8202 --region us-east-1 kms create-key

Usage: strongroom kms --data DIR [options]

Runs a key management service that speaks the protocols of AWS KMS, IAM and STS, until SIGTERM or SIGINT.
A new DIR gets a root key, a database, and the access key of the account's root user in DIR/root-access-key.
Every request of a known caller is recorded in DIR/audit-trail.jsonl before it is answered.

  --data DIR             the data directory; made when it is not there
  --listen ADDRESS       a loopback address; port 0 takes any (default 127.0.0.1:8202)
  --region REGION        for a new DIR: the region in its ARNs (default us-east-1)
  --account-id DIGITS    for a new DIR: the account in its ARNs (default 111122223333)
  --log-level LEVEL      trace, debug, info, warn, error or silent (default info); the log goes to stderr
`

/** `strongroom kms`: the daemon. */
export const kms: Command = {
  help,
  async run(args) {
    const options = readOptions(args)
    const { log, flush } = openDaemonLog(options.logLevel)
    const ended = endOfService()
    const service = await openKmsService({ ...options, log })
    print(`listening on ${service.url}`)
    log.info({ signal: await ended }, 'stopping')
    await service.close()
    log.info('stopped')
    await flush()
    return 0
  },
}

interface Options {
  readonly dataDirectory: string
  readonly listen: string | undefined
  readonly region: string | undefined
  readonly accountId: string | undefined
  readonly logLevel: string
}

const flags = {
  data: { type: 'string' },
  listen: { type: 'string' },
  region: { type: 'string' },
  'account-id': { type: 'string' },
  'log-level': { type: 'string' },
} as const
const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'silent']

function readOptions(args: readonly string[]): Options {
  const { values } = parseArguments({ args: [...args], options: flags })
  const { data, listen, region, 'account-id': accountId, 'log-level': logLevel = 'info' } = values
  if (data === undefined || data === '') throw usage('--data DIR is missing')
  if (accountId !== undefined && !/^\d{12}$/.test(accountId)) throw usage('--account-id takes 12 digits')
  if (region !== undefined && !/^[a-z]{2}(-[a-z]+)+-\d{1,2}$/.test(region)) {
    throw usage('--region takes a name such as us-east-1')
  }
  if (!logLevels.includes(logLevel)) throw usage(`--log-level is one of ${logLevels.join(', ')}`)
  return { dataDirectory: data, listen, region, accountId, logLevel }
}

function usage(message: string): StrongroomError {
  return new StrongroomError('SR_USAGE', message)
}
