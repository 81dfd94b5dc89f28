import { z } from 'zod'
import { operation } from '../operation.ts'
import { findKeyWithoutAlias } from './find-key.ts'
import { onlyPolicyName } from './key-policy.ts'
import { keyId, limit, marker } from './members.ts'
import { readMarker } from './pages.ts'

/**
 * A key has one policy, so there is one page, and no marker was ever given out.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_ListKeyPolicies.html
 */
export const listKeyPolicies = operation({
  name: 'ListKeyPolicies',
  readOnly: true,
  input: z.object({ KeyId: keyId, Limit: limit, Marker: marker }),
  find(input, { state }) {
    readMarker(input.Marker, () => false)
    return findKeyWithoutAlias(input.KeyId, state)
  },
  permissions: (_input, key) => [{ action: 'kms:ListKeyPolicies', key }],
  run: () => ({ PolicyNames: [onlyPolicyName], Truncated: false }),
})
