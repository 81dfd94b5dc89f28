import { GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import type { AwsAccess } from '../aws/access.ts'
import { StrongroomError } from '../errors.ts'
import type { Caller, Found } from './found.ts'
import { lookAtIdentity } from './look-identity.ts'
import { lookAtMasterKey } from './look-master-key.ts'
import type { Wishes } from './wishes.ts'

/** Who we are to AWS. Throws SR_AWS_…. */
export async function lookAtCaller(access: AwsAccess): Promise<Caller> {
  const { Arn: arn = '' } = await access.do('find out who you are', () =>
    access.sts.send(new GetCallerIdentityCommand({})),
  )
  const [, partition, accountId] = /^arn:([^:]+):(?:iam|sts)::(\d{12}):/.exec(arn) ?? []
  if (partition === undefined || accountId === undefined)
    throw new StrongroomError(
      'SR_AWS_FAILED',
      `cannot find out who you are: ${access.endpoint} says "${arn}"`,
    )
  return { arn, accountId, partition }
}

/** What of the wishes is there already; changes nothing. Throws SR_AWS_… and SR_PROVISION_CONFLICT. */
export async function look(wishes: Wishes, access: AwsAccess): Promise<Found> {
  return {
    identity: await lookAtIdentity(wishes.identity, access),
    masterKey: await lookAtMasterKey(wishes, access),
  }
}
