import type { Plan, Tags } from '../plan.ts'

/**
 * The plan as a template. The access key is not in it: its secret would be in the stack's outputs, for everybody who may see those.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kms-key.html
 */
export function cloudFormationFile({ server, identity, masterKey }: Plan): string {
  const { name, path: Path, tags } = identity
  const template = {
    AWSTemplateFormatVersion: '2010-09-09',
    Description: `Master key and IAM ${identity.kind} of the MariaDB server ${server}, by strongroom provision`,
    Resources: {
      Server:
        identity.kind === 'user'
          ? { Type: 'AWS::IAM::User', Properties: { UserName: name, Path, Tags: tagList(tags) } }
          : {
              Type: 'AWS::IAM::Role',
              Properties: {
                RoleName: name,
                Path,
                AssumeRolePolicyDocument: identity.trustPolicy,
                Tags: tagList(tags),
              },
            },
      MasterKey: {
        Type: 'AWS::KMS::Key',
        // The policy names the user or role, which has to be there.
        DependsOn: 'Server',
        // Without the master key no data key can be unwrapped: a stack that is deleted leaves it.
        DeletionPolicy: 'Retain',
        UpdateReplacePolicy: 'Retain',
        Properties: {
          Description: masterKey.description,
          KeyPolicy: masterKey.policy,
          PendingWindowInDays: 30,
          Tags: tagList(masterKey.tags),
        },
      },
      MasterKeyAlias: {
        Type: 'AWS::KMS::Alias',
        Properties: { AliasName: masterKey.alias, TargetKeyId: { Ref: 'MasterKey' } },
      },
    },
    Outputs: {
      MasterKeyArn: { Value: { 'Fn::GetAtt': ['MasterKey', 'Arn'] } },
      ServerArn: { Value: { 'Fn::GetAtt': ['Server', 'Arn'] } },
    },
  }
  return `${JSON.stringify(template, undefined, 2)}\n`
}

function tagList(tags: Tags): { Key: string; Value: string }[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }))
}
