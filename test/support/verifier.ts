import type { Principal } from '../../src/kms/principal.ts'
import type { SessionTokens } from '../../src/kms/sigv4/session-tokens.ts'
import { SigningKeys } from '../../src/kms/sigv4/signing-keys.ts'
import type { Verifier } from '../../src/kms/sigv4/verify.ts'

/** For tests: one long-term access key, and whatever sessions the test wants. */
export const longTerm = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
}

export function principal(accessKeyId: string): Principal {
  return {
    type: 'Root',
    accountId: '111122223333',
    arn: 'arn:aws:iam::111122223333:root',
    principalId: '111122223333',
    accessKeyId,
    tags: new Map(),
    session: undefined,
  }
}

export function verifierOf(sessions: SessionTokens = { find: () => undefined }): Verifier {
  return {
    principalOf: (accessKeyId) => (accessKeyId === longTerm.accessKeyId ? principal(accessKeyId) : undefined),
    sessions,
    signingKeys: new SigningKeys(
      (accessKeyId) => sessions.find(accessKeyId)?.secretAccessKey() ?? Buffer.from(longTerm.secretAccessKey),
    ),
  }
}
