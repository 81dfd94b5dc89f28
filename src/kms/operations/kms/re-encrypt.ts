import { z } from 'zod'
import type { Key } from '../../state/keys.ts'
import { operation } from '../operation.ts'
import { findKey } from './find-key.ts'
import { requireGrantTokens } from './grant-tokens.ts'
import { requireKeyState } from './key-states.ts'
import {
  decrypt,
  encrypt,
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
} from './members.ts'

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_ReEncrypt.html */
export const reEncrypt = operation({
  name: 'ReEncrypt',
  readOnly: true,
  input: z.object({
    CiphertextBlob: blob.optional(),
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
  find(input, { state }) {
    requireGrantTokens(input.GrantTokens, state)
    const request = {
      blob: input.CiphertextBlob,
      keyName: input.SourceKeyId,
      dryRun: input.DryRun,
      dryRunModifiers: input.DryRunModifiers,
    }
    return { source: findBlob(request, state), destination: findKey(input.DestinationKeyId, state) }
  },
  permissions: (input, { source, destination }) => [
    {
      action: 'kms:ReEncryptFrom',
      key: source.key,
      requestAlias: source.requestAlias,
      encryptionContext: input.SourceEncryptionContext,
      encryptionAlgorithm: input.SourceEncryptionAlgorithm ?? symmetricDefault,
      conditionKeys: onSameKey(source.key, destination.key),
    },
    {
      action: 'kms:ReEncryptTo',
      ...destination,
      encryptionContext: input.DestinationEncryptionContext,
      encryptionAlgorithm: input.DestinationEncryptionAlgorithm ?? symmetricDefault,
      conditionKeys: onSameKey(source.key, destination.key),
    },
  ],
  run(input, { source, destination }, call) {
    requireSymmetric(input.SourceEncryptionAlgorithm)
    requireSymmetric(input.DestinationEncryptionAlgorithm)
    requireKeyState('ReEncrypt', destination.key)
    requireKeyOfBlob(source, call.state)
    requireKeyState('ReEncrypt', source.key)
    if (source.blob === undefined) stopDryRun(input.DryRun)
    const { plaintext, keyMaterialId } = decrypt(source, input.SourceEncryptionContext)
    try {
      stopDryRun(input.DryRun)
      const moved = encrypt(destination.key, plaintext, input.DestinationEncryptionContext)
      for (const { key } of [source, destination]) call.state.keyUsage.note(key, 'ReEncrypt', call)
      return {
        CiphertextBlob: moved.toString('base64'),
        SourceKeyId: source.key.arn,
        KeyId: destination.key.arn,
        SourceEncryptionAlgorithm: symmetricDefault,
        DestinationEncryptionAlgorithm: symmetricDefault,
        SourceKeyMaterialId: keyMaterialId,
        DestinationKeyMaterialId: destination.key.currentMaterialId,
      }
    } finally {
      plaintext.fill(0)
    }
  },
})

/** https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-reencrypt-on-same-key */
function onSameKey(source: Key, destination: Key): ReadonlyMap<string, readonly string[]> {
  return new Map([['kms:reencryptonsamekey', [String(source.arn === destination.arn)]]])
}
