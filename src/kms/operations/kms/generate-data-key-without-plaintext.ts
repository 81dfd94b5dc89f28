import { z } from 'zod'
import { operation } from '../operation.ts'
import { makeDataKey } from './data-key.ts'
import { findKey } from './find-key.ts'
import { requireGrantTokens } from './grant-tokens.ts'
import { symmetricDefault } from './key-use.ts'
import { dataKeySpec, encryptionContext, flag, grantTokens, keyId, numberOfBytes } from './members.ts'

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKeyWithoutPlaintext.html */
export const generateDataKeyWithoutPlaintext = operation({
  name: 'GenerateDataKeyWithoutPlaintext',
  readOnly: true,
  input: z.object({
    DryRun: flag,
    EncryptionContext: encryptionContext,
    GrantTokens: grantTokens,
    KeyId: keyId,
    KeySpec: dataKeySpec,
    NumberOfBytes: numberOfBytes,
  }),
  find(input, { state }) {
    requireGrantTokens(input.GrantTokens, state)
    return findKey(input.KeyId, state)
  },
  permissions: (input, found) => [
    {
      action: 'kms:GenerateDataKeyWithoutPlaintext',
      ...found,
      encryptionContext: input.EncryptionContext,
      encryptionAlgorithm: symmetricDefault,
    },
  ],
  run(input, { key }, call) {
    const { plaintext, wrapped } = makeDataKey('GenerateDataKeyWithoutPlaintext', input, { key, call })
    plaintext.fill(0)
    return wrapped
  },
})
