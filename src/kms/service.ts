import { type Logger, pino } from 'pino'
import type { Account } from './arn.ts'
import { refusedRequestsRecord } from './audit-record.ts'
import { AuditTrail } from './audit-trail.ts'
import { handleRequest, type Service } from './handle-request.ts'
import { parseListenAddress } from './listen-address.ts'
import { PerSecond } from './per-second.ts'
import { RefusalBudget } from './refusal-budget.ts'
import { listen, type RunningServer } from './server.ts'
import { SigningKeys } from './sigv4/signing-keys.ts'
import { AccessKeys } from './state/access-keys.ts'
import { Aliases } from './state/aliases.ts'
import { type DataDirectory, openDataDirectory } from './state/data-directory.ts'
import { Keys } from './state/keys.ts'
import { Users } from './state/users.ts'

export interface KmsServiceOptions {
  /** Made when it is not there. */
  readonly dataDirectory: string
  /** A loopback address and a port, 0 for any; `127.0.0.1:8202` when left out. */
  readonly listen?: string | undefined
  /** When left out: as stored, and `us-east-1` for a new directory. Another than the stored one is refused. */
  readonly region?: string | undefined
  /** 12 digits. When left out: as stored, and `111122223333` for a new directory. */
  readonly accountId?: string | undefined
  /** Silent when left out. */
  readonly log?: Logger | undefined
}

export interface KmsService extends Account {
  /** `http://127.0.0.1:8202`: the endpoint URL for KMS, IAM and STS clients. */
  readonly url: string
  /** The file with the root user's access key, in the format of AWS's shared credentials file. */
  readonly rootAccessKeyFile: string
  /** Whether the data directory was made just now. */
  readonly created: boolean
  /** Answers the requests under way, completes the audit trail, closes the database and zeroes all keys. */
  close(): Promise<void>
}

/** Starts the KMS service; throws a StrongroomError that says what is wrong and what to do. */
export async function openKmsService(options: KmsServiceOptions): Promise<KmsService> {
  const log = options.log ?? pino({ level: 'silent' })
  const address = parseListenAddress(options.listen ?? '127.0.0.1:8202')
  const data = openDataDirectory(options.dataDirectory, options)
  const opened: { close: () => void | Promise<void> }[] = [data]
  try {
    if (data.created) {
      log.info(
        { rootAccessKeyFile: data.files.rootAccessKey },
        'made a new data directory; the root access key is in the file',
      )
    }
    const trail = await AuditTrail.open(data.files.auditTrail, (bytes) => {
      log.warn({ bytes }, 'removed a torn last line from the audit trail: its request was never answered')
    })
    opened.unshift(trail)
    const refusals = refusalBudget(trail, data.account, log)
    opened.unshift(refusals)
    const { service, zero } = serviceOn(data, { trail, refusals }, log)
    opened.unshift({ close: zero })
    const server: RunningServer = await listen(address, (request) => handleRequest(request, service), log)
    opened.unshift(server)
    return {
      ...data.account,
      url: server.url,
      rootAccessKeyFile: data.files.rootAccessKey,
      created: data.created,
      close: () => closeAll(opened),
    }
  } catch (error) {
    await closeAll(opened)
    throw error
  }
}

function refusalBudget(trail: AuditTrail, account: Account, log: Logger): RefusalBudget {
  return new RefusalBudget(async (unrecorded) => {
    log.warn({ requests: unrecorded.requests }, 'refused many requests of unknown callers')
    try {
      await trail.append(refusedRequestsRecord(unrecorded, account))
    } catch (error) {
      // The trail owes the record now, and every request that comes will say so.
      log.error({ err: error }, 'cannot write the audit trail')
    }
  })
}

function serviceOn(
  data: DataDirectory,
  audit: { trail: AuditTrail; refusals: RefusalBudget },
  log: Logger,
): { service: Service; zero: () => void } {
  const { database, rootKey, account } = data
  const accessKeys = new AccessKeys(database, rootKey, account.accountId)
  const keys = new Keys(database, rootKey, account, log)
  const signingKeys = new SigningKeys((accessKeyId) => accessKeys.secretOf(accessKeyId))
  return {
    service: {
      ...audit,
      trailFailures: new PerSecond(1),
      verifier: { principalOf: (accessKeyId) => accessKeys.principalOf(accessKeyId), signingKeys },
      state: {
        account,
        keys,
        accessKeys,
        aliases: new Aliases(database),
        users: new Users(database, account.accountId),
        log,
      },
    },
    zero() {
      keys.zero()
      signingKeys.zero()
    },
  }
}

/** Last opened first; what fails to close does not keep the rest open. */
async function closeAll(opened: readonly { close: () => void | Promise<void> }[]): Promise<void> {
  const failures: unknown[] = []
  for (const one of opened) {
    try {
      await one.close()
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
}
