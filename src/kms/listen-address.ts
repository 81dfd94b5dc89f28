import { BlockList, isIP } from 'node:net'
import { StrongroomError } from '../errors.ts'

export interface ListenAddress {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** The host as a URL has it: an IPv6 address in brackets. */
  readonly urlHost: string
}

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/**
 * Reads `127.0.0.1:8202`, `[::1]:8202` or `localhost:8202`. Answers carry plaintext keys and there is no TLS yet, so
 * an address that other machines can reach is refused.
 */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text)
  const name = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  if (name === undefined || !(port <= 65_535)) {
    throw new StrongroomError('SR_KMS_LISTEN', `${text} is not an address to listen at: write 127.0.0.1:8202`)
  }
  const host = name === 'localhost' ? '127.0.0.1' : name
  const family = isIP(host)
  if (family === 0 || !loopback.check(host, family === 4 ? 'ipv4' : 'ipv6')) {
    throw new StrongroomError(
      'SR_KMS_LISTEN',
      `cannot listen at ${text}: the KMS service speaks HTTP without TLS, so it listens on loopback addresses only ` +
        '(127.0.0.1 or [::1])',
    )
  }
  return { host, port, urlHost: family === 6 ? `[${host}]` : host }
}
