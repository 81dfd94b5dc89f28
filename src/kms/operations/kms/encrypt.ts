import { z } from 'zod'
import { operation } from '../operation.ts'
import { findKey } from './find-key.ts'
import { requireGrantTokens } from './grant-tokens.ts'
import { requireKeyState } from './key-states.ts'
import { encrypt, requireSymmetric, stopDryRun, symmetricDefault } from './key-use.ts'
import { encryptionAlgorithm, encryptionContext, flag, grantTokens, keyId, plaintext } from './members.ts'

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html */
export const encryptOperation = operation({
  name: 'Encrypt',
  readOnly: true,
  input: z.object({
    DryRun: flag,
    EncryptionAlgorithm: encryptionAlgorithm,
    EncryptionContext: encryptionContext,
    GrantTokens: grantTokens,
    KeyId: keyId,
    Plaintext: plaintext,
  }),
  find(input, { state }) {
    requireGrantTokens(input.GrantTokens, state)
    return findKey(input.KeyId, state)
  },
  permissions: (input, found) => [
    {
      action: 'kms:Encrypt',
      ...found,
      encryptionContext: input.EncryptionContext,
      encryptionAlgorithm: input.EncryptionAlgorithm ?? symmetricDefault,
    },
  ],
  run(input, { key }, call) {
    requireKeyState('Encrypt', key)
    requireSymmetric(input.EncryptionAlgorithm)
    stopDryRun(input.DryRun)
    const bytes = Buffer.from(input.Plaintext, 'base64')
    try {
      const CiphertextBlob = encrypt(key, bytes, input.EncryptionContext).toString('base64')
      call.state.keyUsage.note(key, 'Encrypt', call)
      return { CiphertextBlob, KeyId: key.arn, EncryptionAlgorithm: symmetricDefault }
    } finally {
      bytes.fill(0)
    }
  },
})
