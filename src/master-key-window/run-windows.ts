import { formatDuration } from './duration.ts'
import type { DutyEvent } from './duty-event.ts'
import type { Guard, GuardedTarget } from './guard.ts'
import type { Closed, NotOpened, Opened } from './held.ts'
import { type Readiness, waitUntilReady } from './until-ready.ts'

/** One thing that is opened, for one server or for several that share it. */
export interface WindowPlan extends GuardedTarget {
  /** As the administrator named it. */
  readonly name: string
  /** Of each server: URL or command; undefined: it stays open for the whole time. */
  readonly servers: readonly (string | undefined)[]
  /** The ARNs of who is to use the key; none: nobody said. */
  readonly expected: readonly string[]
}

export interface ServerOutcome {
  readonly untilReady: string | undefined
  /** undefined: nobody asked it. */
  readonly readiness: Readiness | undefined
}

export interface WindowOutcome {
  readonly plan: WindowPlan
  readonly servers: readonly ServerOutcome[]
  readonly opened: Opened | undefined
  /** Why it was not. */
  readonly notOpened: NotOpened | undefined
  readonly closed: Closed | undefined
}

export interface Course {
  /** So many are open at the same time. */
  readonly atOnce: number
  /** Ends what is open, and begins no more. */
  readonly interrupted: AbortSignal
  tell(plan: WindowPlan, message: string): void
  /** What the watchdog reports. */
  took(plan: WindowPlan, event: DutyEvent): void
}

/** Works off all windows; what happens to one does not stop the others. */
export async function runWindows(
  plans: readonly WindowPlan[],
  guard: Guard,
  course: Course,
): Promise<WindowOutcome[]> {
  const outcomes: WindowOutcome[] = []
  const waiting = [...plans.entries()]
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, plan] = next
      outcomes[index] = course.interrupted.aborted ? neverBegun(plan) : await runOne(plan, guard, course)
    }
  }
  await Promise.all(Array.from({ length: Math.min(course.atOnce, plans.length) }, work))
  return outcomes
}

async function runOne(plan: WindowPlan, guard: Guard, course: Course): Promise<WindowOutcome> {
  const { servers, target, lasts, proves, mayOpenUntil } = plan
  const guarded = { target, lasts, proves, ...(mayOpenUntil !== undefined && { mayOpenUntil }) }
  const held = guard.open(guarded, (event) => {
    course.took(plan, event)
  })
  const interrupt = () => {
    held.close(`the command got ${String(course.interrupted.reason)}`)
  }
  course.interrupted.addEventListener('abort', interrupt, { once: true })
  try {
    const opened = await Promise.race([held.opened, held.closed.then(() => undefined)])
    if (opened?.event !== 'open') return { ...neverBegun(plan), notOpened: opened, closed: await held.closed }
    const asked = await Promise.all(servers.map((server) => ask(plan, server, held.over, course)))
    held.close('the servers are ready')
    return { plan, servers: asked, opened, notOpened: undefined, closed: await held.closed }
  } finally {
    course.interrupted.removeEventListener('abort', interrupt)
  }
}

async function ask(
  plan: WindowPlan,
  untilReady: string | undefined,
  over: AbortSignal,
  course: Course,
): Promise<ServerOutcome> {
  if (untilReady === undefined) {
    await new Promise<void>((resolve) => {
      if (over.aborted) resolve()
      over.addEventListener('abort', () => {
        resolve()
      })
    })
    return { untilReady, readiness: undefined }
  }
  let told = ''
  const readiness = await waitUntilReady(untilReady, over, (said) => {
    // Only what is new: it looks once a second.
    if (said !== told) course.tell(plan, `not ready yet: ${said}`)
    told = said
  })
  if (readiness.isReady) {
    const hint =
      readiness.looks === 1 ? ', at the first look: if it is yet to be restarted, that is too late now' : ''
    course.tell(plan, `ready after ${formatDuration(readiness.after)}: ${untilReady}${hint}`)
  }
  return { untilReady, readiness }
}

function neverBegun(plan: WindowPlan): WindowOutcome {
  return {
    plan,
    servers: plan.servers.map((untilReady) => ({ untilReady, readiness: undefined })),
    opened: undefined,
    notOpened: undefined,
    closed: undefined,
  }
}
