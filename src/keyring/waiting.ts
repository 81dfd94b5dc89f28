import { errorCodes } from '../errors.ts'
import type { Log } from './log.ts'
import type { Trouble } from './trouble.ts'

/** Milliseconds. */
const longestPause = 15_000

/** A master key may be enabled for a minute only, and to ask whether it is takes one call (milliseconds). */
const longestPauseForWindow = 5000

/** A grant may be there as short a time; but whoever is denied is so for each key, by a call of its own. */
const deniedAtMost = 10

/** The first so many retries are logged, the others once in so many milliseconds: a key may be disabled for months. */
const retriesLogged = 8
const loggedAgainAfter = 60_000

/** Of master keys. */
const namesShown = 3

/** Says how long a keyring that is not whole is kept waiting between two tries at most. */
export function longestPauseFor(troubles: readonly Trouble[]): number {
  const denied = troubles.filter(({ error }) => error.code === 'SR_KMS_ACCESS_DENIED').length
  const mayBeWindow = troubles.some(isDisabled) || (denied > 0 && denied <= deniedAtMost)
  return mayBeWindow ? longestPauseForWindow : longestPause
}

/** What it waits for, in one line: `waiting for master key arn:aws:kms:… to be enabled`. */
export function waitingFor(troubles: readonly Trouble[]): string {
  const disabled = [
    ...new Set(troubles.filter(isDisabled).map(({ masterKey }) => masterKey ?? 'of the key files')),
  ]
  const more = disabled.length > namesShown ? ` and ${disabled.length - namesShown} more` : ''
  if (disabled.length > 0)
    return `waiting for master key ${disabled.slice(0, namesShown).join(', ')}${more} to be enabled`
  const code = troubles[0]?.error.code
  if (code === 'SR_MASTER_KEY_UNSET') return "waiting for MariaDB's plugin to say which master key it is"
  return code === undefined ? 'waiting' : `waiting: ${errorCodes[code]} [${code}]`
}

/** Tells how a keyring that is not whole waits: each try to whoever shows it, fewer of them to the log. */
export class Waiting {
  readonly #log: Log
  readonly #show: (status: string | undefined) => void
  #retries = 0
  #loggedAt = -Infinity

  constructor(log: Log, show: (status: string | undefined) => void) {
    this.#log = log
    this.#show = show
  }

  /** `delay` in milliseconds. */
  retryIn(delay: number, troubles: readonly Trouble[], isLogged: boolean): void {
    const what = waitingFor(troubles)
    this.#show(`${what}; next try in ${Math.ceil(delay / 1000)} s`)
    if (!isLogged) return
    this.#retries += 1
    const now = performance.now()
    if (this.#retries > retriesLogged && now - this.#loggedAt < loggedAgainAfter) return
    this.#loggedAt = now
    this.#log.info({ delay }, `not ready, ${what}; next try in ${delay} ms`)
  }

  over(): void {
    this.#retries = 0
    this.#show(undefined)
  }
}

function isDisabled({ error }: Trouble): boolean {
  return error.code === 'SR_MASTER_KEY_DISABLED'
}
