import { z } from 'zod'
import { operation } from '../operation.ts'
import { findKeyWithoutAlias } from './find-key.ts'
import { keyId, limit, marker } from './members.ts'
import { page, readMarker } from './pages.ts'

/**
 * A page of more than 50, which Amazon does not give, there can't be: so many tags a key has at most.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_ListResourceTags.html
 */
export const listResourceTags = operation({
  name: 'ListResourceTags',
  readOnly: true,
  input: z.object({ KeyId: keyId, Limit: limit, Marker: marker }),
  find: (input, { state }) => ({
    key: findKeyWithoutAlias(input.KeyId, state),
    after: readMarker(input.Marker, (text) => text.length > 0),
  }),
  permissions: (_input, { key }) => [{ action: 'kms:ListResourceTags', key }],
  run({ Limit = 50 }, { key, after }) {
    const tags = [...key.tags].filter(([name]) => name > after).sort(byKey)
    const { items, more } = page(tags, Limit, ([name]) => name)
    return { Tags: items.map(([TagKey, TagValue]) => ({ TagKey, TagValue })), ...more }
  },
})

function byKey([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : 1
}
