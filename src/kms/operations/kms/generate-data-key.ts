import { z } from 'zod'
import { operation } from '../operation.ts'
import { makeDataKey } from './data-key.ts'
import { findKey } from './find-key.ts'
import { requireGrantTokens } from './grant-tokens.ts'
import { symmetricDefault } from './key-use.ts'
import {
  dataKeySpec,
  encryptionContext,
  flag,
  grantTokens,
  keyId,
  numberOfBytes,
  recipient,
} from './members.ts'

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKey.html */
export const generateDataKey = operation({
  name: 'GenerateDataKey',
  readOnly: true,
  input: z.object({
    DryRun: flag,
    EncryptionContext: encryptionContext,
    GrantTokens: grantTokens,
    KeyId: keyId,
    KeySpec: dataKeySpec,
    NumberOfBytes: numberOfBytes,
    Recipient: recipient,
  }),
  find(input, { state }) {
    requireGrantTokens(input.GrantTokens, state)
    return findKey(input.KeyId, state)
  },
  permissions: (input, found) => [
    {
      action: 'kms:GenerateDataKey',
      ...found,
      encryptionContext: input.EncryptionContext,
      encryptionAlgorithm: symmetricDefault,
    },
  ],
  run(input, { key }, call) {
    const { plaintext, wrapped } = makeDataKey('GenerateDataKey', input, { key, call })
    try {
      return { Plaintext: plaintext.toString('base64'), ...wrapped }
    } finally {
      plaintext.fill(0)
    }
  },
})
