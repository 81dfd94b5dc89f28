import { AwsException } from '../../protocol/exceptions.ts'

interface PageMembers {
  readonly Marker?: string | undefined
  readonly MaxItems: number
}

/**
 * One page of a list, and the members that say whether there are more. The marker is the key of the last item of the
 * page before, so that what comes and goes between two calls moves no other item. Keys must differ.
 */
export function page<Item>(
  all: readonly Item[],
  { Marker, MaxItems }: PageMembers,
  keyOf: (item: Item) => string,
): { items: Item[]; more: { IsTruncated: boolean; Marker?: string } } {
  const after = Marker === undefined ? undefined : readMarker(Marker)
  const rest = all
    .map((item) => ({ item, key: keyOf(item) }))
    .filter(({ key }) => after === undefined || key > after)
    .sort((a, b) => (a.key < b.key ? -1 : 1))
  const wanted = rest.slice(0, MaxItems)
  const items = wanted.map(({ item }) => item)
  const last = wanted.at(-1)
  if (last === undefined || rest.length === wanted.length) return { items, more: { IsTruncated: false } }
  return { items, more: { IsTruncated: true, Marker: writeMarker(last.key) } }
}

function readMarker(marker: string): string {
  const key = Buffer.from(marker, 'base64url').toString('utf8')
  if (writeMarker(key) !== marker) throw new AwsException('ValidationException', 'Invalid Marker.')
  return key
}

function writeMarker(key: string): string {
  return Buffer.from(key, 'utf8').toString('base64url')
}
