import {
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  CreateVirtualMFADeviceCommand,
  DeleteAccessKeyCommand,
  EnableMFADeviceCommand,
  type IAMClient,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam'
import {
  CreateGrantCommand,
  DecryptCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  GenerateRandomCommand,
  type KMSClient,
  ReEncryptCommand,
  ReplicateKeyCommand,
  RetireGrantCommand,
  RotateKeyOnDemandCommand,
} from '@aws-sdk/client-kms'
import {
  AssumeRoleCommand,
  GetSessionTokenCommand,
  type Credentials as IssuedCredentials,
} from '@aws-sdk/client-sts'
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { Authenticator } from './authenticator.ts'
import { identityPolicy, trustPolicy } from './identities.ts'
import { importMaterial, newKey } from './kms-keys.ts'
import type { Credentials } from './kms-service.ts'
import type { TlsSite } from './kms-tls-site.ts'
import type { SecretSearch } from './secret-search.ts'
import { usable } from './sts-session.ts'

/** What is left when every kind of secret was used once, and is of use for more requests. */
export interface Used {
  readonly alice: Credentials
  readonly keyId: string
  readonly importedKeyId: string
  readonly serialNumber: string
  readonly blob: Uint8Array
}

/** For tests: has the service handle a secret of every kind, by way of the AWS SDK, and has it looked for. */
export async function useEverySecret(site: TlsSite, search: SecretSearch): Promise<Used> {
  const alice = await userWithAccessKeys(site.iam(), search)
  const { serialNumber, code } = await mfaDevice(site.iam(), search, 'phone')
  const second = await mfaDevice(site.iam(), search, 'spare')
  const session = issued(
    search,
    'GetSessionToken',
    (
      await site
        .sts(alice)
        .send(new GetSessionTokenCommand({ SerialNumber: serialNumber, TokenCode: code(30) }))
    ).Credentials,
  )
  const RoleArn = await operatorRole(site.iam())
  const { Credentials: ofRole } = await site.sts(alice).send(
    new AssumeRoleCommand({
      RoleArn,
      RoleSessionName: 'shift',
      SerialNumber: second.serialNumber,
      TokenCode: second.code(30),
    }),
  )
  const operator = issued(search, 'AssumeRole', ofRole)
  const { id: keyId, arn } = await newKey(site.kms(session))
  const blob = await encryptions(site.kms(operator), search, arn)
  await generations(site.kms(operator), search, keyId)
  await site.kms().send(new RotateKeyOnDemandCommand({ KeyId: keyId }))
  const { id: importedKeyId } = await newKey(site.kms(), { Origin: 'EXTERNAL' })
  const material = randomBytes(32)
  search.add('imported key material', material)
  await importMaterial(site.kms(), importedKeyId, material)
  await grants(site, search, { keyId, arn, granteeArn: RoleArn, blob })
  const related = await newKey(site.kms(), { MultiRegion: true })
  await site.kms().send(new ReplicateKeyCommand({ KeyId: related.id, ReplicaRegion: 'eu-west-1' }))
  return { alice, keyId, importedKeyId, serialNumber, blob }
}

async function userWithAccessKeys(iam: IAMClient, search: SecretSearch): Promise<Credentials> {
  const UserName = 'alice'
  await iam.send(new CreateUserCommand({ UserName }))
  const PolicyArn = 'arn:aws:iam::aws:policy/AdministratorAccess'
  await iam.send(new AttachUserPolicyCommand({ UserName, PolicyArn }))
  const makeAccessKey = async (): Promise<Credentials> => {
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }))
    assert.ok(AccessKey?.AccessKeyId !== undefined && AccessKey.SecretAccessKey !== undefined)
    search.add(`secret access key of ${AccessKey.AccessKeyId}`, AccessKey.SecretAccessKey)
    return { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey }
  }
  const deleted = await makeAccessKey()
  await iam.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId: deleted.accessKeyId }))
  return await makeAccessKey()
}

async function mfaDevice(
  iam: IAMClient,
  search: SecretSearch,
  VirtualMFADeviceName: string,
): Promise<{ serialNumber: string; code: (seconds: number) => string }> {
  const { VirtualMFADevice: device } = await iam.send(
    new CreateVirtualMFADeviceCommand({ VirtualMFADeviceName }),
  )
  const SerialNumber = device?.SerialNumber ?? assert.fail('no serial number')
  const seed = Buffer.from(device?.Base32StringSeed ?? []).toString()
  search.add(`MFA seed of ${VirtualMFADeviceName}`, seed)
  // The first bytes of any PNG: a picture of a seed is as secret as the seed.
  search.add(`picture of ${VirtualMFADeviceName}`, Buffer.from(device?.QRCodePNG ?? []).subarray(0, 12))
  const app = new Authenticator(seed)
  const now = new Date()
  const code = (seconds: number): string => {
    const shown = app.code(now, seconds)
    search.addCode(`MFA code of ${VirtualMFADeviceName}`, shown)
    return shown
  }
  await iam.send(
    new EnableMFADeviceCommand({
      UserName: 'alice',
      SerialNumber,
      AuthenticationCode1: code(-30),
      AuthenticationCode2: code(0),
    }),
  )
  return { serialNumber: SerialNumber, code }
}

async function operatorRole(iam: IAMClient): Promise<string> {
  const AssumeRolePolicyDocument = trustPolicy({
    Principal: { AWS: 'arn:aws:iam::111122223333:user/alice' },
    Condition: { Bool: { 'aws:MultiFactorAuthPresent': 'true' } },
  })
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName: 'operator', AssumeRolePolicyDocument }))
  const PolicyDocument = identityPolicy({ Action: 'kms:*' })
  await iam.send(new PutRolePolicyCommand({ RoleName: 'operator', PolicyName: 'inline', PolicyDocument }))
  return Role?.Arn ?? assert.fail('no role')
}

function issued(search: SecretSearch, by: string, credentials: IssuedCredentials | undefined): Credentials {
  const found = usable(credentials)
  search.add(`secret access key by ${by}`, found.secretAccessKey)
  search.add(`session token by ${by}`, found.sessionToken ?? '')
  return found
}

async function encryptions(kms: KMSClient, search: SecretSearch, KeyId: string): Promise<Uint8Array> {
  const EncryptionContext = { table: 'salaries' }
  const blobs: Uint8Array[] = []
  for (const Plaintext of [randomBytes(40), Buffer.from(`ö"\\\n${randomBytes(24).toString('base64')}`)]) {
    search.add('plaintext', Plaintext)
    const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext, EncryptionContext }))
    assert.ok(CiphertextBlob !== undefined)
    const decrypted = await kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }))
    assert.deepEqual(Buffer.from(decrypted.Plaintext ?? []), Plaintext)
    blobs.push(CiphertextBlob)
  }
  const [blob] = blobs
  assert.ok(blob !== undefined)
  const moved = { CiphertextBlob: blob, SourceEncryptionContext: EncryptionContext, DestinationKeyId: KeyId }
  const { CiphertextBlob: again } = await kms.send(new ReEncryptCommand(moved))
  assert.ok(again !== undefined)
  // The documents say that blobs are in no record either.
  for (const one of [...blobs, again]) search.add('ciphertext blob', one.slice(60))
  return again
}

async function generations(kms: KMSClient, search: SecretSearch, KeyId: string): Promise<void> {
  const input = { KeyId, KeySpec: 'AES_256' } as const
  const { Plaintext: dataKey } = await kms.send(new GenerateDataKeyCommand(input))
  search.add('data key', dataKey ?? '')
  const { CiphertextBlob } = await kms.send(new GenerateDataKeyWithoutPlaintextCommand(input))
  const { Plaintext: later } = await kms.send(new DecryptCommand({ CiphertextBlob }))
  search.add('data key without plaintext', later ?? '')
  const { Plaintext: random } = await kms.send(new GenerateRandomCommand({ NumberOfBytes: 64 }))
  search.add('random bytes', random ?? '')
}

async function grants(
  site: TlsSite,
  search: SecretSearch,
  { keyId, arn, granteeArn, blob }: { keyId: string; arn: string; granteeArn: string; blob: Uint8Array },
): Promise<void> {
  const input = { KeyId: keyId, GranteePrincipal: granteeArn, Operations: ['Decrypt'] } as const
  const { GrantToken = '' } = await site
    .kms()
    .send(new CreateGrantCommand({ ...input, Operations: ['Decrypt'] }))
  search.add('grant token', GrantToken)
  // What proves it; before that stands the grant's id, which is no secret.
  search.add('proof in a grant token', Buffer.from(GrantToken, 'base64').subarray(-32))
  await site.kms().send(new DecryptCommand({ KeyId: arn, CiphertextBlob: blob, GrantTokens: [GrantToken] }))
  await site.kms().send(new RetireGrantCommand({ GrantToken }))
}
