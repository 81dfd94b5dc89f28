import type { Logger } from 'pino'
import type { AuditOptions } from './audit/options.ts'
import type { Clock } from './clock.ts'
import type { QuotaRules } from './quotas.ts'
import type { AskPassphrase, SealRequest } from './seal/seal.ts'

export interface KmsServiceOptions {
  /** Made when it is not there. */
  readonly dataDirectory: string
  /** A numeric address and a port, 0 for any; `127.0.0.1:8202` when left out. Without TLS a loopback address. */
  readonly listen?: string | undefined
  /** Plain HTTP when left out. */
  readonly tls?: TlsOptions | undefined
  /** Plain HTTP at addresses that other machines reach, where something else encrypts. */
  readonly allowPlainHttp?: boolean | undefined
  /** Where Prometheus finds `/metrics`, over plain HTTP; nowhere when left out. */
  readonly metricsListen?: string | undefined
  /** Requests per second of one principal; unlimited when left out. */
  readonly quotas?: QuotaRules | undefined
  /** When left out: as stored, and `us-east-1` for a new directory. Another than the stored one is refused. */
  readonly region?: string | undefined
  /** The regions that are served, the directory's own always among them; that alone when left out. */
  readonly regions?: readonly string[] | undefined
  /** 12 digits. When left out: as stored, and `111122223333` for a new directory. */
  readonly accountId?: string | undefined
  readonly audit?: AuditOptions | undefined
  /** The machine's when left out. Requests go by the machine's in any case: their signatures have its time. */
  readonly clock?: Clock | undefined
  /** What protects the root key of a new directory: by a file beside the database, when left out. */
  readonly seal?: SealRequest | undefined
  /** Holds the passphrase of a root key that is sealed by one. */
  readonly passphraseFile?: string | undefined
  /** Asks for that passphrase when neither a file nor a credential of systemd's holds it. */
  readonly askPassphrase?: AskPassphrase | undefined
  /** Silent when left out. */
  readonly log?: Logger | undefined
}

/** Files, or the service's own certificate authority with the names by which clients reach the service. */
export type TlsOptions =
  { readonly certificateFile: string; readonly keyFile: string } | { readonly names: readonly string[] }
