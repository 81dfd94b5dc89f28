import type { TrailRecord } from '../../audit/lookup.ts'

export interface EventResource {
  readonly ResourceType: string
  readonly ResourceName: string
}

/** A user's name, `root`, or the name of a role's session. */
export function userNameOf({ userIdentity }: TrailRecord): string | undefined {
  switch (userIdentity.type) {
    case 'Root':
      return 'root'
    case 'AssumedRole':
      return userIdentity.principalId?.split(':')[1]
    default:
      return userIdentity.userName
  }
}

/** What of an IAM request names a resource, and of which type. */
const iamResources: readonly (readonly [parameter: string, type: string])[] = [
  ['userName', 'AWS::IAM::User'],
  ['groupName', 'AWS::IAM::Group'],
  ['roleName', 'AWS::IAM::Role'],
  ['policyArn', 'AWS::IAM::Policy'],
  ['accessKeyId', 'AWS::IAM::AccessKey'],
  ['serialNumber', 'AWS::IAM::MfaDevice'],
  ['roleArn', 'AWS::IAM::Role'],
  ['openIDConnectProviderArn', 'AWS::IAM::OIDCProvider'],
]

/** Of KMS the keys by their ARNs, of IAM and STS what the request names. */
export function resourcesOf({ resources = [], requestParameters }: TrailRecord): EventResource[] {
  const keys = resources.map(({ ARN, type }) => ({ ResourceType: type, ResourceName: ARN }))
  const named = iamResources.flatMap(([parameter, ResourceType]) => {
    const ResourceName = requestParameters?.[parameter]
    return typeof ResourceName === 'string' ? [{ ResourceType, ResourceName }] : []
  })
  return [...keys, ...named]
}
