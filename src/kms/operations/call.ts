import type { Logger } from 'pino'
import type { Account } from '../arn.ts'
import type { TrailLookup } from '../audit/lookup.ts'
import type { IssuerKeys } from '../federation/issuer-keys.ts'
import type { Principal, WebIdentityUser } from '../principal.ts'
import type { AccessKeyUsage } from '../state/access-key-usage.ts'
import type { Aliases } from '../state/aliases.ts'
import type { Grants } from '../state/grants.ts'
import type { IamState } from '../state/iam.ts'
import type { KeyUsage } from '../state/key-usage.ts'
import type { Keys } from '../state/keys.ts'
import type { MfaDevices } from '../state/mfa-devices.ts'
import type { Sessions } from '../state/sessions.ts'

/** What the operations of one region work on; users, roles and their like are the same in all regions. */
export interface State extends IamState {
  readonly account: Account
  readonly keys: Keys
  readonly aliases: Aliases
  readonly grants: Grants
  readonly keyUsage: KeyUsage
  readonly accessKeyUsage: AccessKeyUsage
  readonly mfaDevices: MfaDevices
  readonly sessions: Sessions
  readonly issuerKeys: IssuerKeys
  readonly trailLookup: TrailLookup
  readonly log: Logger
  /** The states of all regions that are served, this one's among them, by the region's name. */
  readonly regions: ReadonlyMap<string, State>
}

/** One request whose signature was right, or whose other proof was. */
export interface Call extends RequestDetails {
  readonly caller: Principal
}

/** One request of an operation that takes no signature. */
export interface UnsignedCall extends RequestDetails {
  /** To be told as soon as it is known who the caller is; throws ThrottlingException when he calls too often. */
  readonly identified: (caller: WebIdentityUser) => void
}

interface RequestDetails {
  readonly sourceIp: string
  readonly userAgent: string | undefined
  readonly receivedAt: Date
  /** The id by which the caller knows the request: `x-amzn-RequestId`. */
  readonly requestId: string
  /** The id of the record that the audit trail gets. */
  readonly eventId: string
  /** Whether the request came over TLS. */
  readonly secureTransport: boolean
  readonly state: State
  /** Filled in on the way, for the audit trail, so that a refused request shows how far it came. */
  readonly seen: Seen
}

export interface Seen {
  /** Who the caller of an unsigned request is, once it is proved. */
  webIdentity?: WebIdentityUser
  requestParameters?: Record<string, unknown>
  keyArns?: readonly string[]
  /** What the answer says that an auditor wants to know: the id of what was made. Never a secret. */
  responseElements?: Record<string, unknown>
}
