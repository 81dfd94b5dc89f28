import type { ManagedPolicy } from './managed-policy.ts'

/*
 * The managed policies that are there without having been made, under the names and ids of Amazon's, as far as they say
 * something about the services that are here. Nobody can change them.
 * https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
 */
export const builtInPolicies: readonly ManagedPolicy[] = [
  builtIn({
    policyId: 'ANPAIWMBCKSKIEE64ZLYK',
    policyName: 'AdministratorAccess',
    description: 'Everything, on everything.',
    actions: ['*'],
  }),
  builtIn({
    policyId: 'ANPAJNPP7PPPPMJRV2SA4',
    policyName: 'AWSKeyManagementServicePowerUser',
    description:
      'Makes, lists, describes and tags keys and their aliases; to use a key or to change it needs more.',
    actions: [
      'kms:CreateAlias',
      'kms:CreateKey',
      'kms:DeleteAlias',
      'kms:Describe*',
      'kms:GenerateRandom',
      'kms:Get*',
      'kms:List*',
      'kms:TagResource',
      'kms:UntagResource',
      'iam:ListGroups',
      'iam:ListRoles',
      'iam:ListUsers',
    ],
  }),
  builtIn({
    policyId: 'ANPAI7XKCFMBPM3QQRRVQ',
    policyName: 'IAMFullAccess',
    description: 'Everything about users, groups, roles and policies.',
    actions: ['iam:*'],
  }),
  builtIn({
    policyId: 'ANPAJKSO7NDY4T57MWDSQ',
    policyName: 'IAMReadOnlyAccess',
    description: 'Sees users, groups, roles and policies.',
    actions: ['iam:Get*', 'iam:List*'],
  }),
]

function builtIn(parts: {
  policyId: string
  policyName: string
  description: string
  actions: readonly string[]
}): ManagedPolicy {
  const { policyId, policyName, description, actions } = parts
  const createdAt = new Date('2015-02-06T18:40:00Z')
  const document = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: actions, Resource: '*' }],
  })
  const version = { number: 1, document, createdAt }
  return {
    policyId,
    policyName,
    path: '/',
    arn: `arn:aws:iam::aws:policy/${policyName}`,
    description,
    tags: new Map(),
    versions: new Map([[1, version]]),
    defaultVersion: version,
    builtIn: true,
    createdAt,
    updatedAt: createdAt,
  }
}
