import {
  DescribeKeyCommand,
  GetKeyPolicyCommand,
  type KeyMetadata,
  paginateListKeys,
  paginateListResourceTags,
} from '@aws-sdk/client-kms'
import type { AwsAccess } from '../aws/access.ts'
import { awsErrorName } from '../aws/errors.ts'
import { StrongroomError } from '../errors.ts'
import type { FoundMasterKey } from './found.ts'
import { serverTag, type Tags } from './plan.ts'

/**
 * The master key of a server: the one that the alias names, else the one whose tags say so, which a run that was interrupted
 * made; undefined: there is none. Throws SR_AWS_…, and SR_PROVISION_CONFLICT where there are several.
 */
export async function lookAtMasterKey(
  { alias, server }: { readonly alias: string; readonly server: string },
  access: AwsAccess,
): Promise<FoundMasterKey | undefined> {
  const named = await describe(alias, access)
  if (named !== undefined) return await lookAt(named, true, access)
  const tagged = await taggedFor(server, access)
  if (tagged.length > 1)
    throw new StrongroomError(
      'SR_PROVISION_CONFLICT',
      `there is no ${alias}, and ${tagged.length} master keys have the tag ${serverTag} = ${server}: ${tagged.map(({ Arn = '' }) => Arn).join(', ')}; give the right one the alias`,
    )
  return tagged[0] && (await lookAt(tagged[0], false, access))
}

async function describe(name: string, access: AwsAccess): Promise<KeyMetadata | undefined> {
  try {
    return await access.do(`look at the master key ${name}`, async () => {
      const { KeyMetadata: metadata } = await access.kms.send(new DescribeKeyCommand({ KeyId: name }))
      return metadata
    })
  } catch (error) {
    if (awsErrorName(error) === 'NotFoundException') return undefined
    throw error
  }
}

/** Keys that wait for their deletion are nobody's any more. */
async function taggedFor(server: string, access: AwsAccess): Promise<KeyMetadata[]> {
  const found: KeyMetadata[] = []
  const doing = `look for a master key with the tag ${serverTag} = ${server}`
  for (const keyId of await access.do(doing, () => keyIds(access))) {
    const tags = await tagsOrNone(keyId, access, doing)
    if (tags[serverTag] !== server) continue
    const metadata = await describe(keyId, access)
    if (metadata !== undefined && metadata.KeyState !== 'PendingDeletion') found.push(metadata)
  }
  return found
}

async function keyIds({ kms: client }: AwsAccess): Promise<string[]> {
  const ids: string[] = []
  for await (const { Keys = [] } of paginateListKeys({ client }, { Limit: 1000 }))
    ids.push(...Keys.flatMap(({ KeyId }) => KeyId ?? []))
  return ids
}

/** Others' keys may not let us see their tags, and AWS's own have none. */
async function tagsOrNone(keyId: string, access: AwsAccess, doing: string): Promise<Tags> {
  try {
    return await access.do(doing, () => tagsOf(keyId, access))
  } catch (error) {
    if (error instanceof StrongroomError && error.code === 'SR_AWS_REFUSED') return {}
    if (awsErrorName(error) === 'NotFoundException') return {}
    throw error
  }
}

async function tagsOf(KeyId: string, { kms: client }: AwsAccess): Promise<Tags> {
  const found: Record<string, string> = {}
  for await (const { Tags: page = [] } of paginateListResourceTags({ client }, { KeyId })) {
    for (const { TagKey = '', TagValue = '' } of page) found[TagKey] = TagValue
  }
  return found
}

async function lookAt(metadata: KeyMetadata, hasAlias: boolean, access: AwsAccess): Promise<FoundMasterKey> {
  const { KeyId: keyId = '', Arn: arn = '', KeyState: state = '', Description = '' } = metadata
  return await access.do(`look at the master key ${arn}`, async () => {
    const { Policy } = await access.kms.send(new GetKeyPolicyCommand({ KeyId: keyId, PolicyName: 'default' }))
    return {
      keyId,
      arn,
      hasAlias,
      state,
      deletionDate: metadata.DeletionDate,
      unfit: whyUnfit(metadata),
      origin: metadata.Origin ?? '',
      description: Description,
      tags: await tagsOf(keyId, access),
      policy: Policy,
    }
  })
}

function whyUnfit({ KeyManager, KeySpec, KeyUsage, MultiRegion }: KeyMetadata): string | undefined {
  if (KeyManager === 'AWS') return "it is one of AWS's own, whose policy nobody can change"
  if (KeySpec !== 'SYMMETRIC_DEFAULT' || KeyUsage !== 'ENCRYPT_DECRYPT')
    return 'it is not one for symmetric encryption'
  return MultiRegion === true
    ? 'it is a multi-Region key, whose replicas have policies of their own'
    : undefined
}
