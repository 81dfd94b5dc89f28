import { messageOf, StrongroomError } from '../../../errors.ts'
import type { AwsAccess } from '../../../aws/access.ts'
import { requireThatTheyLast } from '../../../master-key-window/credentials.ts'
import { formatDuration } from '../../../master-key-window/duration.ts'
import type { DutyEvent } from '../../../master-key-window/duty-event.ts'
import { Guard } from '../../../master-key-window/guard.ts'
import { findKey, type FoundKey } from '../../../master-key-window/master-keys.ts'
import { planWindows, type Unplanned } from '../../../master-key-window/plan-windows.ts'
import { runWindows, type WindowOutcome, type WindowPlan } from '../../../master-key-window/run-windows.ts'
import type { WantedServer } from '../../../master-key-window/window-list.ts'
import { usesInWindow, type WindowUses } from '../../../master-key-window/window-uses.ts'
import { awsAccessFrom, awsOptionsHelp } from '../../aws-options.ts'
import type { Command } from '../../command.ts'
import { note, print } from '../../terminal.ts'
import { callerOf, type FullCaller } from './caller.ts'
import { interruption, type Interruption } from './interruption.ts'
import { closeLeftovers, type Leftovers } from './leftovers.ts'
import { closeGrantsLeftOver } from './left-grants.ts'
import { parseWindowOptions, type WindowOptions } from './window-options.ts'
import { WindowProgress } from './window-progress.ts'
import { isGood, jsonReport, type Reported, serverTable, usesTable } from './window-report.ts'

export const window: Command = {
  help: `
  strongroom master-key window alias/mariadb --for 2m --until-ready 'ssh db1 mariadb-admin ping'
  strongroom master-key window --list servers.txt

Enables a master key, waits until the server is up or the time is over, disables the key again whatever happens, and prints who
used it meanwhile. A process of its own, which outlives this one, has the duty to disable. KEY is an id, ARN, alias or alias ARN;
several are worked off side by side. Exit 0: each server was ready in time, each key is disabled again, and nobody else used it.

  --for TIME            90s, 2m, 1h (default: 2m; with a grant 10m); no window is longer than 12h
  --until-ready WHAT    a URL that answers 2xx, or a command that exits 0; asked once a second (default: the whole time)
  --list FILE           one server a line: KEY [grant=ARN] [keyring-id=ID] [expect=ARN] UNTIL-READY; - is standard input
  --grant ARN           the key stays enabled; this user or role gets a grant for it, which is revoked at the end
  --keyring-id ID       with --grant: only for the data keys of this keyring
  --expect ARN          who is to use the key; others are marked, and make the exit code 1
  --even-if-enabled     also for a key that is enabled already: it ends disabled
  --at-once NUMBER      so many keys are open at the same time (default: 10)
  --audit-wait TIME     wait so long for an audit trail that is late (default: 0s; AWS's may be 15m late)
  --no-audit            don't ask it
  --recover             close what earlier windows left open, whose processes were killed, and nothing else
  --state-directory DIR where is written down what has to be closed (default: below ~/.local/state, or /var/lib for root)
  --json                for programs
${awsOptionsHelp}

Needs kms:DescribeKey, kms:EnableKey and kms:DisableKey (with a grant kms:DescribeKey, kms:CreateGrant, kms:ListGrants and
kms:RevokeGrant), and cloudtrail:LookupEvents to tell who used the key. It needs no right to decrypt anything.
`,
  async run(args) {
    const options = parseWindowOptions(args)
    // What becomes of the output never decides over a key.
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
    const access = awsAccessFrom(options.aws)
    try {
      const caller = await callerOf(access, options.aws)
      const leftovers = await closeLeftovers(options.stateDirectory, caller)
      if (options.recoverOnly) return leftovers.isTrouble ? 1 : 0
      return await openWindows(options, { access, caller, leftovers })
    } finally {
      access.close()
    }
  },
}

interface Setting {
  readonly access: AwsAccess
  readonly caller: FullCaller
  readonly leftovers: Leftovers
}

async function openWindows(options: WindowOptions, setting: Setting): Promise<number> {
  const warning = requireThatTheyLast(setting.caller.credentials, options.lasts)
  if (warning !== undefined) note(warning)
  const { plans, unplanned } = await plan(options, setting)
  for (const { error } of unplanned) note(`${error.message} [${error.code}]`)
  const interrupted = interruption()
  const outcomes = plans.length === 0 ? [] : await carryOut(plans, options, { ...setting, interrupted })
  interrupted.allClosed()
  const reported: Reported[] = []
  for (const outcome of outcomes) reported.push({ outcome, uses: await auditOf(outcome, options, setting) })
  if (options.json) print(JSON.stringify(jsonReport(reported, unplanned)))
  else printReport(reported, unplanned)
  return interrupted.exitCode ?? (unplanned.length === 0 && reported.every(isGood) ? 0 : 1)
}

/** A server whose key can't be found, or not be opened, does not stop the others. */
async function plan(
  { servers, lasts, evenIfEnabled }: WindowOptions,
  { access, caller, leftovers: { duties } }: Setting,
): Promise<{ plans: WindowPlan[]; unplanned: Unplanned[] }> {
  const found: { server: WantedServer; key: FoundKey }[] = []
  const lost: Unplanned[] = []
  for (const server of servers) {
    try {
      found.push({ server, key: await findKey(access, server.key) })
    } catch (error) {
      if (!(error instanceof StrongroomError)) throw error
      lost.push({ server, error })
    }
  }
  const { plans, unplanned } = planWindows(found, { lasts, evenIfEnabled, duties })
  const granted = plans.flatMap(({ target }) => (target.type === 'grant' ? [target.keyArn] : []))
  await closeGrantsLeftOver(new Set(granted), caller, duties)
  return { plans, unplanned: [...lost, ...unplanned] }
}

async function carryOut(
  plans: readonly WindowPlan[],
  { stateDirectory, atOnce }: WindowOptions,
  { caller, interrupted }: Setting & { readonly interrupted: Interruption },
): Promise<WindowOutcome[]> {
  const progress = new WindowProgress(plans.length)
  if (caller.place.endpointUrl === undefined && plans.some(({ target }) => target.type === 'grant'))
    note('Amazon needs up to five minutes until a grant, or its end, is known everywhere')
  const guard = await Guard.start({ ...caller, stateDirectory }, watchdogCommand())
  const say = ({ name }: WindowPlan, message: string) => {
    progress.say(`${name}: ${message}`)
  }
  try {
    return await runWindows(plans, guard, {
      atOnce,
      interrupted: interrupted.signal,
      tell: say,
      took: (plan, event) => {
        progress.take(event)
        const message = wordsOf(event)
        if (message !== undefined) say(plan, message)
      },
    })
  } finally {
    progress.end()
    await guard.leave()
  }
}

/** What of the watchdog's reports somebody has to read at once; the rest is told by those who wait for it. */
function wordsOf(event: DutyEvent): string | undefined {
  const again = (pause: number) => `it is tried again in ${Math.ceil(pause / 1000)} s`
  switch (event.event) {
    case 'open':
      return `open; closed again in ${formatDuration(event.endsAt - Date.now())} at the latest`
    case 'retry':
      return `${event.message}; ${again(event.pause)}`
    case 'not-opened':
      return `${event.message} [${event.code}]`
    case 'closing':
      return `closing: ${event.because}`
    case 'not-closed':
      return `STILL OPEN: ${event.message}; ${again(event.pause)}`
    case 'closed':
      return event.watchedUntil === undefined
        ? 'closed, confirmed by the KMS'
        : `closed, confirmed by the KMS; a call that was not answered may still arrive, so the watchdog looks at it until ${new Date(event.watchedUntil).toISOString()}`
    default:
      return undefined
  }
}

/** This very program. */
function watchdogCommand(): [string, ...string[]] {
  const [node = process.execPath, main = ''] = process.argv
  return [node, ...process.execArgv, main, 'master-key', 'watchdog']
}

/** undefined: nothing was open, it was not asked for, or the trail can't be read. */
async function auditOf(
  { plan: { target, expected }, opened, closed }: WindowOutcome,
  { auditPatience }: WindowOptions,
  { access, caller }: Setting,
): Promise<WindowUses | undefined> {
  if (auditPatience === undefined || closed === undefined) return undefined
  const { keyArn } = target
  const openedAt = opened?.at ?? closed.at
  const times = {
    keyArn,
    openedAt,
    closedAt: closed.at,
    openingId: opened?.requestId,
    closingId: closed.requestId,
  }
  try {
    return await usesInWindow(access, times, {
      expected,
      ownAccessKeyId: caller.credentials.accessKeyId,
      patience: auditPatience,
      onWait: () => {
        note('the audit trail has not come as far as the end of the window: waiting')
      },
    })
  } catch (error) {
    note(`who used master key ${keyArn} is not known: ${messageOf(error)}`)
    return undefined
  }
}

function printReport(reported: readonly Reported[], unplanned: readonly Unplanned[]): void {
  serverTable(reported, unplanned).forEach(print)
  for (const { outcome, uses } of reported) {
    if (uses === undefined) continue
    const { name, target } = outcome.plan
    print('')
    print(`${name} (${target.keyArn}) was used by${uses.uses.length === 0 ? ' nobody' : ''}`)
    if (uses.uses.length > 0) usesTable(uses.uses).forEach(print)
    if (uses.isCutShort) note(`there were more requests for ${name} than are shown`)
    if (uses.isComplete === false) {
      const since = new Date(outcome.opened?.at ?? 0).toISOString()
      note(
        `the audit trail has not come as far as the end of the window: AWS's is up to 15 minutes late. Say --audit-wait 15m the next time, or look later: aws cloudtrail lookup-events --lookup-attributes AttributeKey=ResourceName,AttributeValue=${target.keyArn} --start-time ${since}`,
      )
    }
  }
}
