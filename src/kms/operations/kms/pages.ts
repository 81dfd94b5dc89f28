import { AwsException } from '../../protocol/exceptions.ts'

/** What `Marker` stands for: the last name of the page before; the empty string, before all names, without one. */
export function readMarker(marker: string | undefined, isName: (text: string) => boolean): string {
  if (marker === undefined) return ''
  const name = Buffer.from(marker, 'base64url').toString('utf8')
  if (writeMarker(name) !== marker || !isName(name)) {
    throw new AwsException('InvalidMarkerException', 'Could not deserialize marker')
  }
  return name
}

/** A page of at most `limit` out of up to `limit + 1` items, and the members that say whether there are more. */
export function page<Item>(
  items: readonly Item[],
  limit: number,
  nameOf: (item: Item) => string,
): { items: readonly Item[]; more: { Truncated: boolean; NextMarker?: string } } {
  const last = items[limit - 1]
  if (items.length <= limit || last === undefined) return { items, more: { Truncated: false } }
  return { items: items.slice(0, limit), more: { Truncated: true, NextMarker: writeMarker(nameOf(last)) } }
}

function writeMarker(name: string): string {
  return Buffer.from(name, 'utf8').toString('base64url')
}

/** The first `count` of them; the rest is not even read. */
export function firstOf<Item>(items: Iterable<Item>, count: number): Item[] {
  const first: Item[] = []
  if (count === 0) return first
  for (const item of items) {
    first.push(item)
    if (first.length === count) break
  }
  return first
}
