import type { StrongroomError } from '../errors.ts'
import type { KeyName } from './data-key.ts'
import type { Log } from './log.ts'
import { Sparingly } from './sparingly.ts'

const tellAgainAfter = 60_000

/** Tells once why a key is refused; MariaDB asks several times for one statement (rule K10). */
export class RefusalLog {
  readonly #log: Log
  readonly #told: Sparingly

  constructor(log: Log) {
    this.#log = log
    this.#told = new Sparingly(tellAgainAfter, () => {
      log.error({}, 'more keys are refused than the log is to tell of: the others are left out for a minute')
    })
  }

  notCreated(keyId: number, error: StrongroomError | undefined, why: string): void {
    this.#tell({ keyId, version: 1 }, error?.code, `is not created: ${why}`)
  }

  neverIssued(name: KeyName): void {
    const why =
      'the data that asks for it is of another server, or of a state of this one whose keys are lost'
    this.#tell(name, undefined, `was never issued in this keyring: ${why}`)
  }

  #tell({ keyId, version }: KeyName, code: string | undefined, what: string): void {
    if (!this.#told.isDue(`${keyId}.${version} ${code ?? what}`)) return
    this.#log.error({ keyId, version, code }, `key ${keyId}, version ${version} ${what}`)
  }
}
