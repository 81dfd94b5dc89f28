import { randomBytes } from 'node:crypto'

const form = /^strongroom-window-(\d{10,11})-[0-9a-f]{16}$/

/**
 * A grant of a window says in its name when that ends, because AWS KMS has no grants that end by themselves: whoever finds one
 * that is left over, on whatever host, knows that it is.
 */
export function newGrantName(endsAt: number): string {
  return `strongroom-window-${Math.ceil(endsAt / 1000)}-${randomBytes(8).toString('hex')}`
}

/** When the window of a grant ends or has ended, in milliseconds since 1970; undefined: the grant is of no window. */
export function endOfGrant(name: string | undefined): number | undefined {
  const seconds = form.exec(name ?? '')?.[1]
  return seconds === undefined ? undefined : Number(seconds) * 1000
}
