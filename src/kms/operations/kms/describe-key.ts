import { z } from 'zod'
import { operation } from '../operation.ts'
import { findKey } from './find-key.ts'
import { requireGrantTokens } from './grant-tokens.ts'
import { keyMetadata } from './key-metadata.ts'
import { grantTokens, keyId } from './members.ts'

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeKey.html */
export const describeKey = operation({
  name: 'DescribeKey',
  readOnly: true,
  input: z.object({ KeyId: keyId, GrantTokens: grantTokens }),
  find(input, { state }) {
    requireGrantTokens(input.GrantTokens, state)
    return findKey(input.KeyId, state)
  },
  permissions: (_input, found) => [{ action: 'kms:DescribeKey', ...found }],
  run: (_input, { key }, { state }) => ({ KeyMetadata: keyMetadata(key, state) }),
})
