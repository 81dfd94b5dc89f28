import { z } from 'zod'
import { operation } from '../operation.ts'
import { decrypt, findBlob, requireSymmetric, stopDryRun, symmetricDefault } from './key-use.ts'
import {
  blob,
  dryRunModifiers,
  encryptionAlgorithm,
  encryptionContext,
  flag,
  grantTokens,
  keyId,
  recipient,
} from './members.ts'

/**
 * Without a `KeyId` the blob says which key it is for, and that key's policy is asked.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html
 */
export const decryptOperation = operation({
  name: 'Decrypt',
  readOnly: true,
  input: z.object({
    CiphertextBlob: blob,
    DryRun: flag,
    DryRunModifiers: dryRunModifiers,
    EncryptionAlgorithm: encryptionAlgorithm,
    EncryptionContext: encryptionContext,
    GrantTokens: grantTokens,
    KeyId: keyId.optional(),
    Recipient: recipient,
  }),
  find: (input, { state }) => findBlob(input.CiphertextBlob, input.KeyId, state),
  permissions: (input, { key, requestAlias }) => [
    {
      action: 'kms:Decrypt',
      key,
      requestAlias,
      encryptionContext: input.EncryptionContext,
      encryptionAlgorithm: input.EncryptionAlgorithm ?? symmetricDefault,
    },
  ],
  run(input, found) {
    requireSymmetric(input.EncryptionAlgorithm)
    const { plaintext, keyMaterialId } = decrypt(found, input.EncryptionContext)
    try {
      stopDryRun(input.DryRun)
      return {
        KeyId: found.key.arn,
        Plaintext: plaintext.toString('base64'),
        EncryptionAlgorithm: symmetricDefault,
        KeyMaterialId: keyMaterialId,
      }
    } finally {
      plaintext.fill(0)
    }
  },
})
