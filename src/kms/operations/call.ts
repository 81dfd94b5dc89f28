import type { Logger } from 'pino'
import type { Account } from '../arn.ts'
import type { Principal } from '../principal.ts'
import type { AccessKeys } from '../state/access-keys.ts'
import type { Aliases } from '../state/aliases.ts'
import type { Keys } from '../state/keys.ts'
import type { Users } from '../state/users.ts'

/** What the operations work on. */
export interface State {
  readonly account: Account
  readonly keys: Keys
  readonly aliases: Aliases
  readonly users: Users
  readonly accessKeys: AccessKeys
  readonly log: Logger
}

/** One request whose signature was right. */
export interface Call {
  readonly caller: Principal
  readonly sourceIp: string
  readonly userAgent: string | undefined
  readonly receivedAt: Date
  readonly state: State
  /** Filled in on the way, for the audit trail, so that a refused request shows how far it came. */
  readonly seen: Seen
}

export interface Seen {
  requestParameters?: Record<string, unknown>
  keyArns?: readonly string[]
  /** What the answer says that an auditor wants to know: the id of what was made. Never a secret. */
  responseElements?: Record<string, unknown>
}
