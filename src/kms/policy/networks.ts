import { BlockList, isIP } from 'node:net'

/** Whether an address, in any of the forms that a request may have it, is in the network. */
export type Network = (address: string) => boolean

const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i

/** `203.0.113.0/24`, `2001:db8::/32`, or one address alone; undefined for anything else. */
export function readNetwork(text: string): Network | undefined {
  const [written = '', prefix, ...more] = text.split('/')
  if (isIP(written) === 0 || more.length > 0) return undefined
  const bits = isIP(written) === 4 ? 32 : 128
  if (prefix !== undefined && (!/^\d{1,3}$/.test(prefix) || Number(prefix) > bits)) return undefined
  const network = plain(written, prefix === undefined ? bits : Number(prefix))
  if (network === undefined) return undefined
  const list = new BlockList()
  list.addSubnet(network.address, network.prefix, family(network.address))
  return (address) => {
    const given = mapped.exec(address)?.[1] ?? address
    // Of a block list's own reading, an IPv6 address that holds an IPv4 address is in the network of the latter.
    return isIP(given) === isIP(network.address) && list.check(given, family(given))
  }
}

/** IPv4 addresses that are written as IPv6 addresses are IPv4 addresses. */
function plain(address: string, prefix: number): { address: string; prefix: number } | undefined {
  const inside = mapped.exec(address)?.[1]
  if (inside === undefined) return { address, prefix }
  return isIP(inside) === 4 && prefix >= 96 ? { address: inside, prefix: prefix - 96 } : undefined
}

function family(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6'
}
