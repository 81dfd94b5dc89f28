import { z } from 'zod'
import { operation } from '../operation.ts'
import { makeDataKey } from './data-key.ts'
import { findKey } from './find-key.ts'
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
  find: (input, { state }) => findKey(input.KeyId, state),
  permissions: (input, found) => [
    {
      action: 'kms:GenerateDataKey',
      ...found,
      encryptionContext: input.EncryptionContext,
      encryptionAlgorithm: symmetricDefault,
    },
  ],
  run(input, { key }) {
    const { plaintext, wrapped } = makeDataKey(input, key)
    try {
      return { Plaintext: plaintext.toString('base64'), ...wrapped }
    } finally {
      plaintext.fill(0)
    }
  },
})
