import type { Unplanned } from '../../../master-key-window/plan-windows.ts'
import type { ServerOutcome, WindowOutcome } from '../../../master-key-window/run-windows.ts'
import type { WindowUse, WindowUses } from '../../../master-key-window/window-uses.ts'
import { formatDuration } from '../../../master-key-window/duration.ts'
import { inOneLine } from '../../../plain-text.ts'

/** A window, and who used the key meanwhile; without an audit trail undefined. */
export interface Reported {
  readonly outcome: WindowOutcome
  readonly uses: WindowUses | undefined
}

/** Whether all went as it should: opened, ready, closed, and used by none but those who were expected. */
export function isGood({ outcome, uses }: Reported): boolean {
  return (
    outcome.opened !== undefined &&
    outcome.closed !== undefined &&
    outcome.servers.every(({ readiness }) => readiness?.isReady ?? true) &&
    (uses?.uses.every(({ isExpected }) => isExpected !== false) ?? true)
  )
}

/** One row a server. */
export function serverTable(reported: readonly Reported[], unplanned: readonly Unplanned[]): string[] {
  const rows = [
    ...reported.flatMap(({ outcome }) =>
      outcome.servers.map((server) => [
        outcome.plan.name,
        server.untilReady ?? '-',
        readinessOf(outcome, server),
        stateOf(outcome),
      ]),
    ),
    ...unplanned.map(({ server, error }) => [
      server.key,
      server.untilReady ?? '-',
      'no',
      `not opened [${error.code}]`,
    ]),
  ]
  return table(['key', 'until ready', 'ready', 'window'], rows)
}

/** One row a request. */
export function usesTable(uses: readonly WindowUse[]): string[] {
  const rows = uses.map((use) => [
    `${use.time.toISOString().slice(0, 19)}Z`,
    `${use.principal}${use.isExpected === false ? '  << not expected' : ''}`,
    use.operation,
    contextOf(use),
    use.source,
    use.errorCode ?? 'ok',
  ])
  return table(['time', 'principal', 'operation', 'key', 'from', 'result'], rows)
}

export function jsonReport(reported: readonly Reported[], unplanned: readonly Unplanned[]): object {
  return {
    windows: reported.map(({ outcome, uses }) => ({
      key: outcome.plan.target.keyArn,
      name: outcome.plan.name,
      ...(outcome.plan.target.type === 'grant' && { grant: outcome.plan.target }),
      openedAt: timeOf(outcome.opened?.at),
      closedAt: timeOf(outcome.closed?.at),
      notOpened: outcome.notOpened && { code: outcome.notOpened.code, message: outcome.notOpened.message },
      servers: outcome.servers.map(({ untilReady, readiness }) => ({
        untilReady,
        ready: readiness?.isReady,
        seconds: readiness && Math.round(readiness.after / 1000),
        said: readiness?.said,
      })),
      audit: uses && {
        complete: uses.isComplete,
        cutShort: uses.isCutShort,
        uses: uses.uses,
      },
    })),
    refused: unplanned.map(({ server, error }) => ({
      key: server.key,
      untilReady: server.untilReady,
      code: error.code,
      message: error.message,
    })),
  }
}

function readinessOf({ opened, closed }: WindowOutcome, { readiness }: ServerOutcome): string {
  if (opened === undefined) return 'no'
  if (readiness === undefined)
    return closed === undefined ? 'not asked' : `not asked, open for ${formatDuration(closed.at - opened.at)}`
  if (readiness.isReady) return `after ${formatDuration(readiness.after)}`
  return `no: ${readiness.said}`
}

function stateOf({ opened, notOpened, closed }: WindowOutcome): string {
  if (notOpened !== undefined) return `not opened [${notOpened.code}]`
  if (closed !== undefined) return 'closed, confirmed'
  return opened === undefined ? 'not opened: the command was ended before' : 'open'
}

/** Key id and version where the requests name them, as those of bound data keys do. */
function contextOf({ encryptionContext: context }: WindowUse): string {
  const {
    'strongroom-keyring': keyring,
    'strongroom-key-id': keyId,
    'strongroom-key-version': version,
  } = context
  if (keyId !== undefined && version !== undefined)
    return `${keyId}.${version}${keyring === undefined ? '' : ` of ${keyring}`}`
  const others = Object.entries(context).map(([name, value]) => `${name}=${value}`)
  return others.length === 0 ? '-' : others.join(' ')
}

function timeOf(at: number | undefined): string | undefined {
  return at === undefined ? undefined : new Date(at).toISOString()
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  // An encryption context is what its caller wants it to be: it may begin no row of its own.
  const all = [head, ...rows].map((row) => row.map(inOneLine))
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)))
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
