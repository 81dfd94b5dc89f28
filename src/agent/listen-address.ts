import { isIPv4, isIPv6 } from 'node:net'
import { StrongroomError } from '../errors.ts'

export interface ListenAddress {
  /** A numeric address: a name could change its meaning. */
  readonly host: string
  /** 0: any free one. */
  readonly port: number
}

/** Reads `127.0.0.1:8201` or `[::1]:8201`; throws SR_CONFIG_INVALID. */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):(\d{1,5})$/.exec(text.trim())
  const host = match?.[1] ?? match?.[2] ?? ''
  const port = Number(match?.[3])
  if (match === null || !(isIPv4(host) || isIPv6(host)) || port > 65_535) {
    throw new StrongroomError(
      'SR_CONFIG_INVALID',
      `"${text}" is not ADDRESS:PORT, such as 127.0.0.1:8201 or [::1]:8201`,
    )
  }
  return { host, port }
}

/** As it stands in a URL. */
export function formatAddress({ host, port }: ListenAddress): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`
}
