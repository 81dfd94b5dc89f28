import { CreateAccessKeyCommand, CreateUserCommand, IAMClient } from '@aws-sdk/client-iam'
import { CreateAliasCommand, CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms'
import { fromIni } from '@aws-sdk/credential-providers'
import { writeFileSync } from 'node:fs'
import { StrongroomError } from '../../errors.ts'

export const exampleAccount = '111122223333'
export const exampleRegion = 'us-east-1'

/** The operations that an agent needs, and no others. */
const agentActions = ['kms:Decrypt', 'kms:GenerateDataKeyWithoutPlaintext', 'kms:DescribeKey']

export interface KmsUser {
  readonly arn: string
  /** In AWS's format, mode 0600. */
  readonly credentialsFile: string
}

export interface KmsPlace {
  readonly url: string
  readonly credentialsFile: string
}

export function kmsClient({ url, credentialsFile }: KmsPlace): KMSClient {
  return new KMSClient(clientOptions({ url, credentialsFile }))
}

/** Makes a user with an access key; on its own it may do nothing. */
export async function createUser(kms: KmsPlace, userName: string, credentialsFile: string): Promise<KmsUser> {
  const iam = new IAMClient(clientOptions(kms))
  try {
    const { User } = await iam.send(new CreateUserCommand({ UserName: userName }))
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: userName }))
    if (User?.Arn === undefined || AccessKey?.AccessKeyId === undefined) throw incomplete('CreateUser')
    const lines = [
      '[default]',
      `aws_access_key_id = ${AccessKey.AccessKeyId}`,
      `aws_secret_access_key = ${AccessKey.SecretAccessKey ?? ''}`,
    ]
    writeFileSync(credentialsFile, `${lines.join('\n')}\n`, { mode: 0o600 })
    return { arn: User.Arn, credentialsFile }
  } finally {
    iam.destroy()
  }
}

/** Makes a master key that the user may use but not administer; resolves to its ARN. */
export async function createMasterKey(kms: KmsPlace, user: KmsUser, alias: string): Promise<string> {
  const client = kmsClient(kms)
  try {
    const { KeyMetadata } = await client.send(
      new CreateKeyCommand({ Description: 'MariaDB at rest', Policy: JSON.stringify(keyPolicy(user.arn)) }),
    )
    if (KeyMetadata?.Arn === undefined) throw incomplete('CreateKey')
    await client.send(new CreateAliasCommand({ AliasName: alias, TargetKeyId: KeyMetadata.KeyId }))
    return KeyMetadata.Arn
  } finally {
    client.destroy()
  }
}

/** The account administers, the user uses; without a user nobody but the account does anything. */
export function keyPolicy(userArn: string | undefined): object {
  const administration = {
    Sid: 'Administration',
    Effect: 'Allow',
    Principal: { AWS: `arn:aws:iam::${exampleAccount}:root` },
    Action: 'kms:*',
    Resource: '*',
  }
  const use = {
    Sid: 'Use',
    Effect: 'Allow',
    Principal: { AWS: userArn },
    Action: agentActions,
    Resource: '*',
  }
  return {
    Version: '2012-10-17',
    Statement: userArn === undefined ? [administration] : [administration, use],
  }
}

function clientOptions({ url, credentialsFile }: KmsPlace) {
  return {
    endpoint: url,
    region: exampleRegion,
    credentials: fromIni({ filepath: credentialsFile, configFilepath: credentialsFile }),
  }
}

function incomplete(operation: string): StrongroomError {
  return new StrongroomError('SR_KMS_FAILED', `the KMS's answer to ${operation} lacks what it must hold`)
}
