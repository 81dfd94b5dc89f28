import type { Conditions, Policy, Statement } from './policy.ts'

export interface KeyPolicyWishes {
  readonly rootArn: string
  /** Of the server's user or role. */
  readonly serverArn: string
  /** None: whom IAM lets. */
  readonly administrators: readonly string[]
  /** undefined: the keyring's keys are wrapped without an encryption context. */
  readonly keyringId: string | undefined
  readonly access: 'standing' | 'grant'
  readonly requiresMfa: boolean
  readonly mayRewrap: boolean
}

/** The pair of the encryption context that names the keyring: docs/architecture.md. */
export const keyringContext = 'strongroom-keyring'

/** That a window's grant gives, and no other operation: `strongroom master-key window --grant`. */
export const grantedOperations = ['Decrypt', 'DescribeKey', 'GenerateDataKeyWithoutPlaintext'] as const

/** Each action that turns a key's material into something: all others only administer. */
const cryptographicActions = ['kms:Decrypt', 'kms:Encrypt', 'kms:GenerateDataKey*', 'kms:ReEncrypt*']

/**
 * Not among them: kms:CreateGrant, by which an administrator could give himself kms:Decrypt; kms:ImportKeyMaterial, by which
 * he could choose a key that he knows; kms:ReplicateKey, whose replica has another policy.
 */
const administrativeActions = [
  'kms:CancelKeyDeletion',
  'kms:CreateAlias',
  'kms:DeleteAlias',
  'kms:Describe*',
  'kms:Disable*',
  'kms:Enable*',
  'kms:Get*',
  'kms:List*',
  'kms:PutKeyPolicy',
  'kms:RevokeGrant',
  'kms:RotateKeyOnDemand',
  'kms:TagResource',
  'kms:UntagResource',
  'kms:Update*',
]

/** AWS's longest waiting period: so long a deletion can be taken back. */
const daysUntilDeletion = '30'

/**
 * Who may do what with the master key of one server. What is allowed names only what is needed; what is denied holds also
 * against policies of IAM and grants that somebody adds later.
 */
export function keyPolicy(wishes: KeyPolicyWishes): Policy {
  return {
    Version: '2012-10-17',
    Statement: [...ofAdministrators(wishes), ...ofServer(wishes), ...fences(wishes)],
  }
}

function ofAdministrators({ rootArn, serverArn, administrators, access }: KeyPolicyWishes): Statement[] {
  const all = [rootArn, ...administrators]
  const Principal = { AWS: all }
  // The account as principal means whomever its IAM policies let, so named administrators narrow it to its root user.
  const isOne: Conditions = administrators.length === 0 ? {} : { ArnEquals: { 'aws:PrincipalArn': all } }
  return [
    {
      Sid: 'AdministratorsAdminister',
      Effect: 'Allow',
      Principal,
      Action: administrativeActions,
      Resource: '*',
      ...conditionOf(isOne),
    },
    {
      Sid: 'AdministratorsDeleteWithMfaAfter30Days',
      Effect: 'Allow',
      Principal,
      Action: ['kms:ScheduleKeyDeletion'],
      Resource: '*',
      ...conditionOf({
        ...isOne,
        Bool: { 'aws:MultiFactorAuthPresent': 'true' },
        NumericGreaterThanEquals: { 'kms:ScheduleKeyDeletionPendingWindowInDays': daysUntilDeletion },
      }),
    },
    ...(access === 'standing'
      ? []
      : [
          {
            Sid: 'AdministratorsGrantToTheServerAlone',
            Effect: 'Allow',
            Principal,
            Action: ['kms:CreateGrant'],
            Resource: '*',
            ...conditionOf({
              ...isOne,
              'ForAllValues:StringEquals': { 'kms:GrantOperations': grantedOperations },
              StringEquals: { 'kms:GranteePrincipal': serverArn },
            }),
          } as const,
        ]),
  ]
}

function ofServer({ serverArn, access, requiresMfa, mayRewrap, keyringId }: KeyPolicyWishes): Statement[] {
  const Principal = { AWS: [serverArn] }
  const use: Statement = {
    Sid: 'ServerUsesItsKeyring',
    Effect: 'Allow',
    Principal,
    Action: serversUses(mayRewrap),
    Resource: '*',
    ...conditionOf({
      ...(keyringId !== undefined && { StringEquals: { [contextKey]: keyringId } }),
      ...(requiresMfa && { Bool: { 'aws:MultiFactorAuthPresent': 'true' } }),
    }),
  }
  return [
    ...(access === 'standing' ? [use] : []),
    { Sid: 'ServerDescribes', Effect: 'Allow', Principal, Action: ['kms:DescribeKey'], Resource: '*' },
  ]
}

function fences({ serverArn, keyringId, requiresMfa, mayRewrap }: KeyPolicyWishes): Statement[] {
  const Principal = { AWS: [serverArn] }
  const denied = { Effect: 'Deny', Resource: '*' } as const
  return [
    {
      Sid: 'NobodyElseUses',
      ...denied,
      Principal: '*',
      Action: cryptographicActions,
      Condition: { ArnNotEquals: { 'aws:PrincipalArn': serverArn } },
    },
    {
      Sid: 'ServerDoesNothingElse',
      ...denied,
      Principal,
      NotAction: [...serversUses(mayRewrap), 'kms:DescribeKey'],
    },
    ...(keyringId === undefined
      ? []
      : [
          {
            Sid: 'ServerUsesNoOtherKeyring',
            ...denied,
            Principal,
            Action: serversUses(mayRewrap),
            // Also where the request has no such pair: that is how AWS compares with "not equals".
            Condition: { StringNotEquals: { [contextKey]: keyringId } },
          },
        ]),
    ...(requiresMfa
      ? [
          {
            Sid: 'ServerUsesNothingWithoutMfa',
            ...denied,
            Principal,
            Action: serversUses(mayRewrap),
            // An access key's own requests have no such key at all.
            Condition: { BoolIfExists: { 'aws:MultiFactorAuthPresent': 'false' } },
          },
        ]
      : []),
  ]
}

const contextKey = `kms:EncryptionContext:${keyringContext}`

function serversUses(mayRewrap: boolean): string[] {
  return ['kms:Decrypt', 'kms:GenerateDataKeyWithoutPlaintext', ...(mayRewrap ? ['kms:ReEncrypt*'] : [])]
}

function conditionOf(Condition: Conditions): Pick<Statement, 'Condition'> {
  return Object.keys(Condition).length === 0 ? {} : { Condition }
}
