import { z } from 'zod'
import { isKeyId, keyArn } from '../../arn.ts'
import { operation } from '../operation.ts'
import { limit, marker } from './members.ts'
import { page, readMarker } from './pages.ts'

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_ListKeys.html */
export const listKeys = operation({
  name: 'ListKeys',
  readOnly: true,
  input: z.object({ Limit: limit, Marker: marker }),
  find: (input) => readMarker(input.Marker, isKeyId),
  permissions: () => [{ action: 'kms:ListKeys' }],
  run({ Limit = 100 }, after, { state }) {
    const { items, more } = page(state.keys.list({ after, limit: Limit + 1 }), Limit, (keyId) => keyId)
    return { Keys: items.map((keyId) => ({ KeyId: keyId, KeyArn: keyArn(state.account, keyId) })), ...more }
  },
})
