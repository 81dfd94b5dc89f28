import { z } from 'zod'
import { aliasArn } from '../../arn.ts'
import { epochSeconds } from '../../protocol/json.ts'
import { operation } from '../operation.ts'
import { findKeyWithoutAlias } from './find-key.ts'
import { keyId, limit, marker } from './members.ts'
import { page, readMarker } from './pages.ts'

/** Amazon's bound. */
const mostOnAPage = 100

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_ListAliases.html */
export const listAliases = operation({
  name: 'ListAliases',
  readOnly: true,
  input: z.object({ KeyId: keyId.optional(), Limit: limit, Marker: marker }),
  find: (input, { state }) => ({
    keyId: input.KeyId === undefined ? undefined : findKeyWithoutAlias(input.KeyId, state).keyId,
    after: readMarker(input.Marker, (text) => text.startsWith('alias/')),
  }),
  permissions: () => [{ action: 'kms:ListAliases' }],
  run({ Limit = 50 }, found, { state }) {
    const limited = Math.min(Limit, mostOnAPage)
    const aliases = state.aliases.list({ ...found, limit: limited + 1 })
    const { items, more } = page(aliases, limited, ({ aliasName }) => aliasName)
    const Aliases = items.map((alias) => ({
      AliasName: alias.aliasName,
      AliasArn: aliasArn(state.account, alias.aliasName),
      TargetKeyId: alias.keyId,
      CreationDate: epochSeconds(alias.createdAt),
      LastUpdatedDate: epochSeconds(alias.updatedAt),
    }))
    return { Aliases, ...more }
  },
})
