import { StrongroomError } from '../errors.ts'
import { closeForSure, requestLives, watchAndForget } from './closing.ts'
import type { DutyEvent, OwnDutyEvent } from './duty-event.ts'
import { DutyFiles, newDutyId } from './duty-files.ts'
import { recordOf } from './duty-record.ts'
import { Held } from './held.ts'
import { openingOf } from './opening-of.ts'
import type { OpenOrder, Task } from './orders.ts'
import { ownIdentity } from './process-identity.ts'
import { Reach } from './reach.ts'
import { WatchdogProcess } from './watchdog-process.ts'

export type GuardedTarget = Omit<OpenOrder, 'order' | 'id'>

/** Opens what is to be closed again for sure: a watchdog does both; should it die, this process does its duty. */
export class Guard {
  readonly #task: Task
  readonly #held = new Map<string, { readonly held: Held; readonly target: GuardedTarget }>()
  readonly #files: DutyFiles
  #watchdog: WatchdogProcess | undefined
  #whyDead: string | undefined
  #succession: Promise<void> | undefined

  private constructor(task: Task) {
    this.#task = task
    this.#files = new DutyFiles(task.stateDirectory)
  }

  /** `command` starts the watchdog. Throws SR_WINDOW_DUTY. */
  static async start(task: Task, command: readonly [string, ...string[]]): Promise<Guard> {
    const guard = new Guard(task)
    guard.#watchdog = await WatchdogProcess.start(task, command, {
      told: (event) => {
        guard.#take(event)
      },
      died: (why) => {
        guard.#whyDead = why
        guard.#succession = guard.#succeed()
      },
    })
    return guard
  }

  get watchdogPid(): number | undefined {
    return this.#watchdog?.pid
  }

  /** Why the watchdog is not there any more, though nobody told it to end. */
  get whyDead(): string | undefined {
    return this.#whyDead
  }

  /** `tell` hears of all that happens to it. */
  open(target: GuardedTarget, tell: (event: DutyEvent) => void): Held {
    const id = newDutyId()
    const close = (because: string) => this.#watchdog?.order({ order: 'close', id, because })
    const held = new Held({ id, close, tell })
    this.#held.set(id, { held, target })
    if (this.#whyDead === undefined) this.#watchdog?.order({ order: 'open', id, ...target })
    else held.take(neverOpened(id))
    return held
  }

  /** Leaves the watchdog to itself; what it still holds it closes, and looks at for as long as that may be needed. */
  async leave(): Promise<void> {
    await this.#succession
    this.#watchdog?.leave()
  }

  #take(event: DutyEvent): void {
    this.#held.get(event.id)?.held.take(event)
  }

  async #succeed(): Promise<void> {
    const reach = new Reach(this.#task.place, this.#task.credentials)
    await Promise.all(
      [...this.#held.values()]
        .filter(({ held }) => !held.isSettled)
        .map(({ held, target }) => this.#close(held, target, reach)),
    )
    reach.close()
  }

  async #close({ id, lastHeard }: Held, target: GuardedTarget, reach: Reach): Promise<void> {
    const { records } = await this.#files.list().catch(() => ({ records: [] }))
    // It is written down before anything is opened; but the file may be gone by now, or not to be read.
    const known =
      lastHeard === undefined
        ? undefined
        : { ...recordOf({ id, ...target }, this.#task.place), state: lastHeard }
    const left = records.find((record) => record.id === id) ?? known
    if (left === undefined) {
      this.#take(neverOpened(id))
      return
    }
    const record = {
      ...left,
      holder: ownIdentity(),
      ...(left.state === 'opening' && { mayOpenUntil: Date.now() + requestLives }),
    }
    const tell = (event: OwnDutyEvent) => {
      this.#take({ ...event, id })
    }
    const tools = { opening: openingOf(left.target, reach), files: this.#files, tell }
    tell({ event: 'closing', because: `the watchdog has died: ${this.#whyDead ?? ''}` })
    await closeForSure(record, tools)
    await watchAndForget(record, tools)
  }
}

function neverOpened(id: string): DutyEvent {
  const { code, message } = new StrongroomError(
    'SR_WINDOW_DUTY',
    'the process that would have to close it again has died',
  )
  return { event: 'not-opened', id, code, message }
}
