import { openKmsService } from '../../kms/service.ts'
import type { Command } from '../command.ts'
import { openDaemonLog } from '../daemon-log.ts'
import { endOfService } from '../end-of-service.ts'
import { print } from '../terminal.ts'
import { readKmsConfig } from './kms/config.ts'
import { kmsCommands } from './kms/index.ts'
import { passphraseHelp } from './kms/seal-options.ts'

const help = `  strongroom kms --data /var/lib/strongroom-kms
  AWS_SHARED_CREDENTIALS_FILE=/var/lib/strongroom-kms/root-access-key \\
    aws --endpoint-url http://127.0.0.1:8202 --region us-east-1 kms create-key

Usage: strongroom kms --data DIR [options]
       strongroom kms COMMAND --help

Runs a key management service that speaks the protocols of AWS KMS, IAM and STS, until SIGTERM or SIGINT.
A new DIR gets a root key, a database, and the access key of the account's root user in DIR/root-access-key.
Every request of a known caller is recorded in DIR/audit-trail.jsonl before it is answered.

  --data DIR               the data directory; made when it is not there
  --config FILE            options from the section [kms] of a file; those given here win
  --listen ADDRESS         port 0 takes any (default 127.0.0.1:8202); loopback only, unless there is TLS
  --tls off|own-ca|files   own-ca: the service makes a certificate authority; clients trust DIR/ca.pem
  --tls-names NAMES        own-ca: by which clients reach the service (default: localhost and the host's name)
  --tls-certificate FILE, --tls-key FILE   PEM
  --allow-plain-http yes   at other addresses too, where something else encrypts
  --metrics-listen ADDRESS where Prometheus finds /metrics (default: nowhere)
  --quotas LIST            requests per second of one principal: *=1000, CreateKey=5 (default: none)
  --region REGION          for a new DIR: the home region, in its ARNs (default us-east-1)
  --regions REGIONS        those served besides: eu-west-1, us-west-2 (default: none)
  --seal file|passphrase|systemd|kms   for a new DIR: what protects its root key (default file: for development)
  --seal-key-id KEY, --seal-region REGION, --seal-endpoint URL   seal = kms: the key in another KMS
  --passphrase-file FILE   seal = passphrase: when it is not to be asked for, and is no credential of systemd's
  --account-id DIGITS      for a new DIR: the account in its ARNs (default 111122223333)
  --audit-max-size SIZE    after which a file of the audit trail is finished and the next begun (default 100M)
  --audit-keep-days DAYS   after which finished files are removed (default: they are kept)
  --audit-forward URL      sends the records on: https://HOST/PATH, syslog:tls://HOST, syslog:tcp://HOST, syslog:udp://HOST
  --audit-forward-token-file FILE, --audit-forward-ca-file FILE   bearer token for HTTP; authorities for TLS (PEM)
  --log-level LEVEL        trace, debug, info, warn, error or silent (default info); the log goes to stderr

Commands:
${kmsCommands.map(({ name, summary }) => `  ${name.padEnd(10)}${summary}`).join('\n')}
`

/** `strongroom kms`: the daemon. */
export const kms: Command = {
  help,
  subcommands: kmsCommands,
  async run(args) {
    const { logLevel, service: options } = readKmsConfig(args)
    const { log, flush } = openDaemonLog(logLevel)
    const ended = endOfService()
    const service = await openKmsService({ ...passphraseHelp(options.passphraseFile), ...options, log })
    print(`listening on ${service.url}`)
    log.info({ signal: await ended }, 'stopping')
    await service.close()
    log.info('stopped')
    await flush()
    return 0
  },
}
