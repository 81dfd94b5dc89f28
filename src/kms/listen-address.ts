import { isIP } from 'node:net'
import { StrongroomError } from '../errors.ts'
import { isLoopback } from '../loopback.ts'

export interface ListenAddress {
  /** A numeric address: a name could change its meaning. */
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** The host as a URL has it: an IPv6 address in brackets. */
  readonly urlHost: string
}

/** Reads `127.0.0.1:8202`, `[::1]:8202` or `localhost:8202`; throws SR_KMS_LISTEN. */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text)
  const name = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  const host = name === 'localhost' ? '127.0.0.1' : (name ?? '')
  const family = isIP(host)
  if (family === 0 || !(port <= 65_535)) {
    throw new StrongroomError(
      'SR_KMS_LISTEN',
      `"${text}" is not an address to listen at: write 127.0.0.1:8202, [::1]:8202 or 0.0.0.0:8202`,
    )
  }
  return { host, port, urlHost: family === 6 ? `[${host}]` : host }
}

/** Answers carry plaintext keys: without TLS they stay on this machine, unless the operator says otherwise. */
export function requireLoopback(address: ListenAddress): void {
  if (isLoopback(address.host)) return
  throw new StrongroomError(
    'SR_KMS_LISTEN',
    `cannot listen at ${address.urlHost}:${address.port} without TLS, as other machines can reach it: set tls to own-ca ` +
      'or to files, or allow-plain-http where something else encrypts',
  )
}
