import { z } from 'zod'
import { operation } from '../operation.ts'
import { requireGrantTokens } from './grant-tokens.ts'
import { requireKeyState } from './key-states.ts'
import {
  decrypt,
  findBlob,
  requireKeyOfBlob,
  requireSymmetric,
  stopDryRun,
  symmetricDefault,
} from './key-use.ts'
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
    CiphertextBlob: blob.optional(),
    DryRun: flag,
    DryRunModifiers: dryRunModifiers,
    EncryptionAlgorithm: encryptionAlgorithm,
    EncryptionContext: encryptionContext,
    GrantTokens: grantTokens,
    KeyId: keyId.optional(),
    Recipient: recipient,
  }),
  find(input, { state }) {
    requireGrantTokens(input.GrantTokens, state)
    const { CiphertextBlob, KeyId, DryRun, DryRunModifiers } = input
    const request = {
      blob: CiphertextBlob,
      keyName: KeyId,
      dryRun: DryRun,
      dryRunModifiers: DryRunModifiers,
    }
    return findBlob(request, state)
  },
  permissions: (input, { key, requestAlias }) => [
    {
      action: 'kms:Decrypt',
      key,
      requestAlias,
      encryptionContext: input.EncryptionContext,
      encryptionAlgorithm: input.EncryptionAlgorithm ?? symmetricDefault,
    },
  ],
  run(input, found, call) {
    const { key } = found
    requireSymmetric(input.EncryptionAlgorithm)
    requireKeyOfBlob(found, call.state)
    requireKeyState('Decrypt', key)
    if (found.blob === undefined) stopDryRun(input.DryRun)
    const { plaintext, keyMaterialId } = decrypt(found, input.EncryptionContext)
    try {
      stopDryRun(input.DryRun)
      call.state.keyUsage.note(key, 'Decrypt', call)
      return {
        KeyId: key.arn,
        Plaintext: plaintext.toString('base64'),
        EncryptionAlgorithm: symmetricDefault,
        KeyMaterialId: keyMaterialId,
      }
    } finally {
      plaintext.fill(0)
    }
  },
})
