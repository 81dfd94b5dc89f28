import type { Log } from '../keyring/log.ts'
import { notifySystemd } from './notify.ts'

/** What `systemctl status` shows of the agent: what its keyrings wait for, else that it is ready. */
export class ServiceStatus {
  readonly #log: Log
  readonly #waiting = new Map<string, string>()
  #whenWell = 'starting'
  #sent = ''
  #sending: Promise<void> = Promise.resolve()

  constructor(log: Log) {
    this.#log = log
  }

  /** `waiting` undefined: nothing is wrong with that keyring any more. */
  take(keyring: string, waiting: string | undefined): void {
    if (waiting === undefined) this.#waiting.delete(keyring)
    else this.#waiting.set(keyring, waiting)
    void this.#send()
  }

  /** From now on the service is ready. Resolves when systemd has been told. */
  async ready(state: string): Promise<void> {
    this.#whenWell = state
    await this.#send('READY=1')
  }

  /** One after the other: each is sent by a process of its own, and the last one stays. */
  async #send(...assignments: string[]): Promise<void> {
    const sending = this.#sending.then(async () => {
      const text = this.#text
      if (text === this.#sent && assignments.length === 0) return
      this.#sent = text
      await notifySystemd(this.#log, ...assignments, `STATUS=${text}`)
    })
    this.#sending = sending
    await sending
  }

  get #text(): string {
    const waiting = [...this.#waiting].map(([name, what]) => `keyring ${name}: ${what}`)
    return waiting.length === 0 ? this.#whenWell : waiting.join('; ')
  }
}
