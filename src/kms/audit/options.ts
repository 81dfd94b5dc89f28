/** How the audit trail is kept, and where it is sent. */
export interface AuditOptions {
  /** Bytes, at least 4096, after which a file of the trail is finished; 100 MiB when left out. */
  readonly maxSize?: number | undefined
  /** Days after which finished files are removed; they are kept when left out. */
  readonly keepDays?: number | undefined
  /** Nothing is forwarded when left out. */
  readonly forward?: ForwardOptions | undefined
}

export interface ForwardOptions {
  /** `syslog:udp://HOST:514`, `syslog:tcp://HOST:601`, `syslog:tls://HOST:6514`, `http://HOST/…` or `https://HOST/…` */
  readonly to: string
  /** A file with the bearer token for HTTP; read again for each request. */
  readonly tokenFile?: string | undefined
  /** A PEM file with the authorities that are trusted for TLS, instead of the system's. */
  readonly caFile?: string | undefined
}
