import type { Call } from '../operations/call.ts'
import {
  contextKeyPrefix,
  contextKeysKey,
  principalTagPrefix,
  resourceTagPrefix,
} from '../policy/condition-keys.ts'
import type { Permission } from './permission.ts'

/**
 * The condition keys of pairs that people choose: tags and the encryption context. Sorted out once, when the first is
 * asked for: an encryption context may have thousands of pairs, and many policies ask.
 */
export class Pairs {
  readonly #permission: Permission
  readonly #call: Call
  #values: ReadonlyMap<string, readonly string[]> | undefined

  constructor(permission: Permission, call: Call) {
    this.#permission = permission
    this.#call = call
  }

  /** `key`: in lower case. */
  get(key: string): readonly string[] | undefined {
    if (key !== contextKeysKey && !prefixes.some((prefix) => key.startsWith(prefix))) return undefined
    this.#values ??= this.#sortOut()
    return this.#values.get(key)
  }

  #sortOut(): Map<string, string[]> {
    const { key, encryptionContext = none } = this.#permission
    const values = new Map<string, string[]>()
    if (encryptionContext.size > 0) values.set(contextKeysKey, [...encryptionContext.keys()])
    add(values, contextKeyPrefix, encryptionContext)
    add(values, principalTagPrefix, this.#call.caller.tags)
    add(values, resourceTagPrefix, key?.tags ?? none)
    return values
  }
}

const prefixes = [contextKeyPrefix, principalTagPrefix, resourceTagPrefix]
const none: ReadonlyMap<string, string> = new Map()

/** Two names that differ in case alone are one condition key with two values, which no condition accepts. */
function add(values: Map<string, string[]>, prefix: string, pairs: ReadonlyMap<string, string>): void {
  for (const [name, value] of pairs) {
    const key = prefix + name.toLowerCase()
    const known = values.get(key)
    if (known === undefined) values.set(key, [value])
    else known.push(value)
  }
}
