import { z } from 'zod'
import { operation } from '../operation.ts'
import { findKey } from './find-key.ts'
import {
  decrypt,
  encrypt,
  findBlob,
  requireEnabled,
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
} from './members.ts'

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_ReEncrypt.html */
export const reEncrypt = operation({
  name: 'ReEncrypt',
  readOnly: true,
  input: z.object({
    CiphertextBlob: blob,
    DestinationEncryptionAlgorithm: encryptionAlgorithm,
    DestinationEncryptionContext: encryptionContext,
    DestinationKeyId: keyId,
    DryRun: flag,
    DryRunModifiers: dryRunModifiers,
    GrantTokens: grantTokens,
    SourceEncryptionAlgorithm: encryptionAlgorithm,
    SourceEncryptionContext: encryptionContext,
    SourceKeyId: keyId.optional(),
  }),
  find: (input, { state }) => ({
    source: findBlob(input.CiphertextBlob, input.SourceKeyId, state),
    destination: findKey(input.DestinationKeyId, state),
  }),
  permissions: (input, { source, destination }) => [
    {
      action: 'kms:ReEncryptFrom',
      key: source.key,
      requestAlias: source.requestAlias,
      encryptionContext: input.SourceEncryptionContext,
      encryptionAlgorithm: input.SourceEncryptionAlgorithm ?? symmetricDefault,
    },
    {
      action: 'kms:ReEncryptTo',
      ...destination,
      encryptionContext: input.DestinationEncryptionContext,
      encryptionAlgorithm: input.DestinationEncryptionAlgorithm ?? symmetricDefault,
    },
  ],
  run(input, { source, destination }) {
    requireSymmetric(input.SourceEncryptionAlgorithm)
    requireSymmetric(input.DestinationEncryptionAlgorithm)
    requireEnabled(destination.key)
    const { plaintext, keyMaterialId } = decrypt(source, input.SourceEncryptionContext)
    try {
      stopDryRun(input.DryRun)
      return {
        CiphertextBlob: encrypt(destination.key, plaintext, input.DestinationEncryptionContext).toString(
          'base64',
        ),
        SourceKeyId: source.key.arn,
        KeyId: destination.key.arn,
        SourceEncryptionAlgorithm: symmetricDefault,
        DestinationEncryptionAlgorithm: symmetricDefault,
        SourceKeyMaterialId: keyMaterialId,
        DestinationKeyMaterialId: destination.key.currentBackingKey.id,
      }
    } finally {
      plaintext.fill(0)
    }
  },
})
