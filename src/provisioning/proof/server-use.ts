import {
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  ReEncryptCommand,
} from '@aws-sdk/client-kms'
import type { Probe, Verdict } from './probe.ts'
import { contextOf, otherContext, type Subject } from './subject.ts'

const of = { who: 'server' } as const
/** KMS then asks nothing but its policies: https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html */
const onlyAsked = { DryRun: true, DryRunModifiers: ['IGNORE_CIPHERTEXT' as const] }

/** What the server may do: it is done, with a data key that nobody will use. */
export function allowedUses(subject: Subject): Probe[] {
  const { wishes, keyArn: KeyId, access } = subject
  const EncryptionContext = contextOf(subject.plan)
  const describe: Probe = {
    ...of,
    action: 'kms:DescribeKey',
    expected: 'allowed',
    send: () => access.kms.send(new DescribeKeyCommand({ KeyId })),
  }
  if (!mayUseNow(subject)) return [describe]
  const how = EncryptionContext === undefined ? {} : { how: "with the keyring's context" }
  let wrapped: Uint8Array | undefined
  return [
    describe,
    {
      ...of,
      ...how,
      action: 'kms:GenerateDataKeyWithoutPlaintext',
      expected: 'allowed',
      send: async () => {
        const command = new GenerateDataKeyWithoutPlaintextCommand({
          KeyId,
          EncryptionContext,
          KeySpec: 'AES_256',
        })
        wrapped = (await access.kms.send(command)).CiphertextBlob
      },
    },
    {
      ...of,
      ...how,
      action: 'kms:Decrypt',
      expected: 'allowed',
      send: async () => {
        const command = new DecryptCommand({ KeyId, EncryptionContext, CiphertextBlob: wrapped })
        const { Plaintext } = await access.kms.send(command)
        Plaintext?.fill(0)
      },
    },
    ...(wishes.mayRewrap
      ? [
          {
            ...of,
            ...how,
            action: 'kms:ReEncrypt',
            expected: 'allowed' as const,
            send: () =>
              access.kms.send(
                new ReEncryptCommand({ ...reEncryption(KeyId, EncryptionContext), CiphertextBlob: wrapped }),
              ),
          },
        ]
      : []),
  ]
}

/** Uses of the master key that the server may not make. */
export function refusedUses(subject: Subject): Probe[] {
  const { access, plan, wishes, keyArn: KeyId } = subject
  const { kms } = access
  const own = contextOf(plan)
  const refused = (action: string, send: Probe['send'], how?: string): Probe => ({
    ...of,
    action,
    expected: 'refused' satisfies Verdict,
    send,
    ...(how !== undefined && { how }),
  })
  const uses = (EncryptionContext: Record<string, string> | undefined, how?: string) => [
    refused(
      'kms:Decrypt',
      () => kms.send(new DecryptCommand({ KeyId, EncryptionContext, ...onlyAsked })),
      how,
    ),
    refused(
      'kms:GenerateDataKeyWithoutPlaintext',
      () =>
        kms.send(
          new GenerateDataKeyWithoutPlaintextCommand({
            KeyId,
            EncryptionContext,
            KeySpec: 'AES_256',
            DryRun: true,
          }),
        ),
      how,
    ),
  ]
  const reEncrypt = (EncryptionContext: Record<string, string> | undefined, how?: string) =>
    refused(
      'kms:ReEncrypt',
      () => kms.send(new ReEncryptCommand({ ...reEncryption(KeyId, EncryptionContext), ...onlyAsked })),
      how,
    )
  return [
    ...(mayUseNow(subject) ? [] : uses(own, whyNotNow(subject))),
    ...(own === undefined
      ? []
      : [...uses(otherContext(), "with another keyring's context"), ...uses(undefined, 'without a context')]),
    ...(wishes.mayRewrap
      ? own === undefined
        ? []
        : [reEncrypt(otherContext(), "with another keyring's context")]
      : [reEncrypt(own)]),
    refused('kms:Encrypt', () =>
      kms.send(
        new EncryptCommand({ KeyId, EncryptionContext: own, Plaintext: Buffer.alloc(1), DryRun: true }),
      ),
    ),
    refused(
      'kms:GenerateDataKey',
      () =>
        kms.send(
          new GenerateDataKeyCommand({ KeyId, EncryptionContext: own, KeySpec: 'AES_256', DryRun: true }),
        ),
      'which shows the data key',
    ),
  ]
}

/** With its access key, or as whoever assumes its role without a code. */
function mayUseNow({ wishes }: Subject): boolean {
  return wishes.access === 'standing' && !wishes.requiresMfa
}

function whyNotNow({ wishes }: Subject): string {
  return wishes.access === 'grant' ? 'without a grant' : 'without MFA'
}

function reEncryption(KeyId: string, context: Record<string, string> | undefined) {
  return {
    SourceKeyId: KeyId,
    SourceEncryptionContext: context,
    DestinationKeyId: KeyId,
    DestinationEncryptionContext: context,
  }
}
