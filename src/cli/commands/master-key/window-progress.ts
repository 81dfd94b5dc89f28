import { formatDuration } from '../../../master-key-window/duration.ts'
import type { DutyEvent } from '../../../master-key-window/duty-event.ts'
import { note } from '../../terminal.ts'

/** Milliseconds. */
const between = 1000

/** Tells how the windows stand: in plain lines, and on a terminal also in a last line that is drawn over. */
export class WindowProgress {
  readonly #total: number
  readonly #endsAt = new Map<string, number>()
  readonly #isOpen = new Set<string>()
  #done = 0
  #timer: NodeJS.Timeout | undefined
  #isDrawn = false

  constructor(total: number) {
    this.#total = total
    if (!process.stderr.isTTY) return
    this.#timer = setInterval(() => {
      this.#draw()
    }, between)
  }

  say(message: string): void {
    this.#erase()
    note(message)
    this.#draw()
  }

  take(event: DutyEvent): void {
    if (event.event === 'opening' || event.event === 'open') this.#isOpen.add(event.id)
    if (event.event === 'open') this.#endsAt.set(event.id, event.endsAt)
    if (event.event !== 'closed' && event.event !== 'not-opened') return
    this.#isOpen.delete(event.id)
    this.#endsAt.delete(event.id)
    this.#done += 1
  }

  end(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#erase()
  }

  #draw(): void {
    if (this.#timer === undefined) return
    const soonest = Math.min(...this.#endsAt.values())
    const countdown =
      this.#endsAt.size === 0 ? '' : `, closed in ${formatDuration(soonest - Date.now())} at the latest`
    const count = this.#total === 1 ? '' : `, ${this.#done} of ${this.#total} done`
    process.stderr.write(`\r\u001b[K${this.#isOpen.size} open${count}${countdown}`)
    this.#isDrawn = true
  }

  #erase(): void {
    if (this.#isDrawn) process.stderr.write('\r\u001b[K')
    this.#isDrawn = false
  }
}
