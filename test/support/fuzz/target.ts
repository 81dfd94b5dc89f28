import { CreateAliasCommand, CreateKeyCommand, EncryptCommand, KMSClient } from '@aws-sdk/client-kms'
import { jsonServices } from '../../../src/kms/json-services.ts'
import { queryServices } from '../../../src/kms/query-services.ts'
import type { ClientConfig } from '../kms-service.ts'
import type { Known } from './members.ts'
import type { Target } from './signed-requests.ts'

/** A service's operations, all that there are, and two keys and an alias that are made for the requests to name. */
export async function fuzzTarget(config: ClientConfig): Promise<Target & { known: Known }> {
  const kms = new KMSClient(config)
  const [one, two] = [await kms.send(new CreateKeyCommand({})), await kms.send(new CreateKeyCommand({}))]
  const { KeyId: keyId = '', Arn: keyArn = '', AWSAccountId: accountId = '' } = one.KeyMetadata ?? {}
  await kms.send(new CreateAliasCommand({ AliasName: 'alias/fuzz', TargetKeyId: keyId }))
  const { CiphertextBlob = new Uint8Array() } = await kms.send(
    new EncryptCommand({ KeyId: keyId, Plaintext: Buffer.from('x') }),
  )
  return {
    url: config.endpoint,
    region: config.region,
    credentials: config.credentials,
    operations: operations(),
    known: {
      keyId,
      keyArn,
      accountId,
      otherKeyId: two.KeyMetadata?.KeyId ?? '',
      blob: Buffer.from(CiphertextBlob).toString('base64'),
      grantId: 'a'.repeat(64),
    },
  }
}

function operations(): Target['operations'] {
  const kms = jsonServices.get('TrentService')
  const names = (version: string): string[] => {
    const service = queryServices.get(version)
    return [...(service?.operations.keys() ?? []), ...(service?.unsignedOperations.keys() ?? [])]
  }
  return {
    cloudtrail: [...(jsonServices.get('CloudTrail_20131101')?.operations.keys() ?? [])],
    kms: [...(kms?.operations.keys() ?? []), ...(kms?.notOffered ?? [])],
    iam: names('2010-05-08'),
    sts: names('2011-06-15'),
  }
}
