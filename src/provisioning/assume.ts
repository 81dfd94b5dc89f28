import { AssumeRoleCommand } from '@aws-sdk/client-sts'
import type { AwsAccess, AwsCredentials } from '../aws/access.ts'
import { StrongroomError } from '../errors.ts'

/** A session of the server's role, as short as AWS has them; undefined: the caller may not assume it. Throws SR_AWS_…. */
export async function assumeForProof(
  roleArn: string,
  access: AwsAccess,
): Promise<AwsCredentials | undefined> {
  try {
    const { Credentials } = await access.do(`assume ${roleArn} to prove its rights`, () =>
      access.sts.send(
        new AssumeRoleCommand({
          RoleArn: roleArn,
          RoleSessionName: 'strongroom-provision',
          DurationSeconds: 900,
        }),
      ),
    )
    const { AccessKeyId, SecretAccessKey, SessionToken } = Credentials ?? {}
    if (AccessKeyId === undefined || SecretAccessKey === undefined || SessionToken === undefined)
      return undefined
    return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken }
  } catch (error) {
    if (error instanceof StrongroomError && error.code === 'SR_AWS_REFUSED') return undefined
    throw error
  }
}
