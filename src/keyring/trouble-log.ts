import type { Log } from './log.ts'
import { isAboutTheKms, type Trouble } from './trouble.ts'
import { keyFileName } from './wrapped-key.ts'

const namesShown = 10

/** Tells each trouble once when it appears, and once when it is over (rule K10). */
export class TroubleLog {
  readonly #log: Log
  #told = new Map<string, Trouble>()

  constructor(log: Log) {
    this.#log = log
  }

  report(troubles: readonly Trouble[]): void {
    const now = new Map(troubles.map((trouble) => [identityOf(trouble), trouble]))
    const fresh = [...now].filter(([identity]) => !this.#told.has(identity)).map(([, trouble]) => trouble)
    const over = [...this.#told].filter(([identity]) => !now.has(identity)).map(([, trouble]) => trouble)
    for (const group of Map.groupBy(fresh, reasonOf).values()) this.#tell(group)
    if (over.length > 0 && now.size === 0) this.#log.info({}, 'the keyring is whole again')
    this.#told = now
  }

  #tell(group: readonly Trouble[]): void {
    const [first] = group
    if (first === undefined) return
    const { error, name, masterKey } = first
    const fields = { code: error.code, masterKey }
    if (name === undefined) {
      this.#log.error(fields, error.message)
    } else if (isAboutTheKms(error)) {
      const verb = group.length === 1 ? 'waits' : 'wait'
      const known = masterKey === undefined || error.message.includes(masterKey)
      const text = `${listOf(group)} ${verb}${known ? '' : ` for master key ${masterKey}`}: ${error.message}`
      // Nothing is wrong where the server is yet to name the master key.
      if (error.code === 'SR_MASTER_KEY_UNSET') this.#log.info(fields, text)
      else this.#log.error(fields, text)
    } else {
      for (const { name: key, error: fault } of group.filter((one) => one.name !== undefined)) {
        const words = key === undefined ? '' : `key ${key.keyId}, version ${key.version}`
        this.#log.error(fields, `AWS KMS plugin: ${words} could not be decrypted: ${fault.message}`)
      }
    }
  }
}

function listOf(group: readonly Trouble[]): string {
  const names = group.flatMap(({ name }) => (name === undefined ? [] : [keyFileName(name)]))
  const more = names.length - namesShown
  return `${names.slice(0, namesShown).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

function identityOf(trouble: Trouble): string {
  return `${trouble.name === undefined ? 'store' : keyFileName(trouble.name)} ${trouble.error.code}`
}

/** Keys that wait for the same thing are told of in one line. */
function reasonOf({ error, name, masterKey }: Trouble): string {
  return isAboutTheKms(error)
    ? `${error.code} ${masterKey ?? ''} ${name === undefined}`
    : identityOf({ error, name })
}
