import { type Logger, pino } from 'pino'
import type { Account } from './arn.ts'
import { openAdminSocket } from './admin/server.ts'
import { refusedRequestsRecord } from './audit/audit-record.ts'
import type { AuditTrail } from './audit/audit-trail.ts'
import { auditHandlers } from './audit/evidence.ts'
import { type Audit, openAudit } from './audit/open-audit.ts'
import { serviceEventRecord } from './audit/service-event.ts'
import { RefusalBudget } from './audit/refusal-budget.ts'
import { backupHandlers } from './backup/database-copy.ts'
import { recordRestore } from './backup/restore-note.ts'
import { openFront } from './front.ts'
import type { Service } from './handle-request.ts'
import { Metrics } from './metrics.ts'
import { openKeyStore, openSchedule } from './open-schedule.ts'
import { openStates } from './open-states.ts'
import type { State } from './operations/call.ts'
import { PerSecond } from './per-second.ts'
import type { KmsServiceOptions } from './options.ts'
import { Quotas } from './quotas.ts'
import { SigningKeys } from './sigv4/signing-keys.ts'
import { simulationHandlers } from './simulation/handlers.ts'
import { type DataDirectory, openDataDirectory } from './state/data-directory.ts'
import { readingWhole } from './state/unreadable.ts'

export interface KmsService extends Account {
  /** `http://127.0.0.1:8202`: the endpoint URL for KMS, IAM and STS clients. */
  readonly url: string
  /** The file with the root user's access key, in the format of AWS's shared credentials file. */
  readonly rootAccessKeyFile: string
  /** `http://127.0.0.1:9202`, where Prometheus finds `/metrics`. */
  readonly metricsUrl: string | undefined
  /** Whether the data directory was made just now. */
  readonly created: boolean
  /** Does at once what is due by itself (deletions, rotations, expiries), which otherwise happens within a minute. */
  runDue(): Promise<void>
  /** Answers the requests under way, completes the audit trail, closes the database and zeroes all keys. */
  close(): Promise<void>
}

/** Starts the KMS service; throws a StrongroomError that says what is wrong and what to do. */
export async function openKmsService(options: KmsServiceOptions): Promise<KmsService> {
  const log = options.log ?? pino({ level: 'silent' })
  const data = await openDataDirectory(options.dataDirectory, options)
  const opened: { close: () => void | Promise<void> }[] = [data]
  try {
    if (data.created) {
      log.info(
        { rootAccessKeyFile: data.files.rootAccessKey },
        'made a new data directory; the root access key is in the file',
      )
    }
    const audit = await openAudit(data, options.audit ?? {}, log)
    opened.unshift(audit)
    const { trail } = audit
    await recordRestore(data.files.directory, trail, data.account)
    const refusals = refusalBudget(trail, data.account, log)
    opened.unshift(refusals)
    const store = openKeyStore(data, options, log)
    const states = readingWhole('a row of aliases, grants, users, policies or sessions', () =>
      openStates(data, store, { regions: options.regions ?? [], trailLookup: audit.lookup, log }),
    )
    const service = serviceOn(states, { audit, refusals, data, options, log })
    opened.unshift({
      close() {
        for (const { keyUsage } of states.values()) keyUsage.close()
        service.home.accessKeyUsage.close()
        service.home.roleUsage.close()
      },
    })
    opened.unshift({
      close() {
        store.zero()
        service.verifier.signingKeys.zero()
      },
    })
    const schedule = readingWhole('the row of the clock', () =>
      openSchedule(states, { store, data, trail, options, log }),
    )
    opened.unshift(schedule)
    const front = await openFront(options, service, data)
    opened.unshift(front)
    opened.unshift({
      close() {
        service.home.issuerKeys.close()
      },
    })
    const handlers = {
      ...auditHandlers(trail, data.rootKey),
      ...simulationHandlers(service.home),
      ...backupHandlers(data.database, (details) =>
        trail.append(serviceEventRecord({ eventName: 'BackupDatabase', account: data.account, details })),
      ),
    }
    opened.unshift(await openAdminSocket(data.files.directory, handlers, log))
    schedule.start()
    return {
      ...data.account,
      url: front.url,
      metricsUrl: front.metricsUrl,
      rootAccessKeyFile: data.files.rootAccessKey,
      created: data.created,
      runDue: () => schedule.runDue(),
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

interface Parts {
  readonly data: DataDirectory
  readonly audit: Audit
  readonly refusals: RefusalBudget
  readonly options: KmsServiceOptions
  readonly log: Logger
}

function serviceOn(
  states: ReadonlyMap<string, State>,
  { data, audit, refusals, options, log }: Parts,
): Service {
  const home = states.get(data.account.region)
  if (home === undefined) throw new Error(`the home region ${data.account.region} has no state`)
  const { accessKeys, sessions } = home
  return {
    trail: audit.trail,
    refusals,
    log,
    states,
    home,
    trailFailures: new PerSecond(1),
    verifier: {
      principalOf: (accessKeyId) => accessKeys.principalOf(accessKeyId),
      sessions,
      signingKeys: new SigningKeys(
        (accessKeyId) => sessions.find(accessKeyId)?.secretAccessKey() ?? accessKeys.secretOf(accessKeyId),
      ),
    },
    quotas: options.quotas && new Quotas(options.quotas),
    metrics: options.metricsListen === undefined ? undefined : metricsOf(audit),
  }
}

function metricsOf({ trail, backlog }: Audit): Metrics {
  return new Metrics({ auditTrailHealthy: () => trail.healthy(), auditForwardBacklog: backlog })
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
