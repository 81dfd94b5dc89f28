import {
  CreateGrantCommand,
  DecryptCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  GetKeyPolicyCommand,
  type GrantOperation,
  ReEncryptCommand,
} from '@aws-sdk/client-kms'
import { grantedOperations } from '../key-policy.ts'
import type { Probe } from './probe.ts'
import { contextOf, type Subject } from './subject.ts'

/** That the caller, an administrator, may administer the master key and not use it. Nothing is made. */
export function administratorProbes(
  { access: { kms }, plan, wishes, keyArn: KeyId }: Subject,
  callerArn: string,
): Probe[] {
  const EncryptionContext = contextOf(plan)
  const onlyAsked = { DryRun: true, DryRunModifiers: ['IGNORE_CIPHERTEXT' as const] }
  const dryRun = { KeyId, EncryptionContext, DryRun: true }
  const grant = (GranteePrincipal: string, Operations: GrantOperation[]) => () =>
    kms.send(new CreateGrantCommand({ KeyId, GranteePrincipal, Operations, DryRun: true }))
  const expect = (expected: Probe['expected'], action: string, send: Probe['send'], how?: string): Probe => ({
    who: 'administrator',
    action,
    expected,
    send,
    ...(how !== undefined && { how }),
  })
  const serverArn = plan.identity.arn
  const mayGrant = wishes.access === 'grant'
  return [
    expect('allowed', 'kms:GetKeyPolicy', () =>
      kms.send(new GetKeyPolicyCommand({ KeyId, PolicyName: 'default' })),
    ),
    expect('refused', 'kms:Decrypt', () =>
      kms.send(new DecryptCommand({ KeyId, EncryptionContext, ...onlyAsked })),
    ),
    expect('refused', 'kms:Encrypt', () =>
      kms.send(new EncryptCommand({ ...dryRun, Plaintext: Buffer.alloc(1) })),
    ),
    expect('refused', 'kms:GenerateDataKey', () =>
      kms.send(new GenerateDataKeyCommand({ ...dryRun, KeySpec: 'AES_256' })),
    ),
    expect('refused', 'kms:GenerateDataKeyWithoutPlaintext', () =>
      kms.send(new GenerateDataKeyWithoutPlaintextCommand({ ...dryRun, KeySpec: 'AES_256' })),
    ),
    expect('refused', 'kms:ReEncrypt', () =>
      kms.send(
        new ReEncryptCommand({
          SourceKeyId: KeyId,
          SourceEncryptionContext: EncryptionContext,
          DestinationKeyId: KeyId,
          DestinationEncryptionContext: EncryptionContext,
          ...onlyAsked,
        }),
      ),
    ),
    expect('refused', 'kms:CreateGrant', grant(callerArn, ['Decrypt']), 'to himself'),
    expect(
      mayGrant ? 'allowed' : 'refused',
      'kms:CreateGrant',
      grant(serverArn, [...grantedOperations]),
      'to the server',
    ),
    ...(mayGrant
      ? [
          expect(
            'refused',
            'kms:CreateGrant',
            grant(serverArn, ['Decrypt', 'Encrypt']),
            'to the server, of more',
          ),
        ]
      : []),
  ]
}
