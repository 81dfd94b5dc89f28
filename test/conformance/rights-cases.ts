import { randomBytes } from 'node:crypto'
import type { ConformanceCase } from './conformance-case.ts'
import { delegatingPolicy, type KeyOperation, keyOperation, keyOperations } from './key-operations.ts'
import { accountId, type CaseKey, context, rootArn, type World } from './world.ts'

const policyEvaluation = 'https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html'
const keyPolicies = 'https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html'
const grants = 'https://docs.aws.amazon.com/kms/latest/developerguide/grants.html'
const conditions = 'https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html'

/** What a caller has, in the identity policy and in the key policy. */
interface Rights {
  readonly variation: string
  readonly outcome: 'ok' | 'AccessDeniedException'
  readonly source: string
  /** A statement of the caller's identity policy, but for its actions. */
  readonly identity?: object
  /** The statements of the key policy, given the caller's ARN and the operation's actions. */
  readonly key: (caller: string, actions: readonly string[]) => readonly object[]
}

const delegates = (): readonly object[] => delegatingPolicy.Statement
const allow = { Effect: 'Allow', Resource: '*' }

const table: readonly Rights[] = [
  {
    variation: 'a user without any policy, where the key policy leaves it to the account',
    outcome: 'AccessDeniedException',
    source: policyEvaluation,
    key: delegates,
  },
  {
    variation: 'a user whose identity policy allows it, where the key policy leaves it to the account',
    outcome: 'ok',
    source: policyEvaluation,
    identity: allow,
    key: delegates,
  },
  {
    variation: 'a user whose identity policy allows it, where the key policy leaves it to nobody',
    outcome: 'AccessDeniedException',
    source: keyPolicies,
    identity: allow,
    key: () => [{ ...allow, Principal: { AWS: rootArn }, Action: 'kms:GetPublicKey' }],
  },
  {
    variation: 'a user whom the key policy names, without an identity policy',
    outcome: 'ok',
    source: policyEvaluation,
    key: (AWS, Action) => [...delegates(), { ...allow, Principal: { AWS }, Action }],
  },
  {
    variation: 'a user whose identity policy allows it and whom the key policy denies it',
    outcome: 'AccessDeniedException',
    source: policyEvaluation,
    identity: allow,
    key: (AWS, Action) => [...delegates(), { Effect: 'Deny', Principal: { AWS }, Action, Resource: '*' }],
  },
  {
    variation: 'a user whom the key policy allows it and whose identity policy denies it',
    outcome: 'AccessDeniedException',
    source: policyEvaluation,
    identity: { Effect: 'Deny', Resource: '*' },
    key: (AWS, Action) => [{ ...allow, Principal: { AWS }, Action }],
  },
]

/** Those that act on the key and on an alias or another region ask for more than the key policy can give. */
const identityNeeded = new Set(['CreateAlias', 'UpdateAlias', 'ReplicateKey'])

/** Operations that ask for no right on the key that they name. */
const notOfTheKey = new Set(['ListAliases', 'RetireGrant', 'UpdatePrimaryRegion'])

const byPolicy: readonly ConformanceCase[] = keyOperations
  .filter(({ operation }) => !notOfTheKey.has(operation))
  .flatMap((of) =>
    table
      .filter(
        ({ identity, outcome }) =>
          !(identityNeeded.has(of.operation) && identity === undefined && outcome === 'ok'),
      )
      .map((rights) => ({
        operation: of.operation,
        topic: 'rights',
        variation: rights.variation,
        outcome: rights.outcome,
        source: rights.source,
        ask: (world) => askWithRights(of, rights, world),
      })),
  )

async function askWithRights(of: KeyOperation, rights: Rights, world: World): Promise<string> {
  const actions = of.actions ?? [`kms:${of.operation}`]
  const identity = rights.identity && { Statement: [{ ...rights.identity, Action: actions }] }
  const user = await world.user(`u-${randomBytes(8).toString('hex')}`, identity)
  const key = await world.key(of.situation ?? 'Enabled')
  const members = { ...(await of.others(key, world)), [of.member]: key.arn }
  await world.must('PutKeyPolicy', {
    KeyId: key.keyId,
    Policy: JSON.stringify({ Statement: rights.key(user.arn, actions) }),
    BypassPolicyLockoutSafetyCheck: true,
  })
  return (await world.ask(of.operation, members, { caller: user.credentials })).outcome
}

/** What may stand in a grant's `Operations`, and what a grant without it is asked for. */
const granted = [
  'Decrypt',
  'DescribeKey',
  'Encrypt',
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
  'CreateGrant',
] as const

const byGrant: readonly ConformanceCase[] = granted.flatMap((operation) => {
  const other = operation === 'Encrypt' ? 'Decrypt' : 'Encrypt'
  return [
    // Decrypt besides: whoever may create grants may pass on only what was granted.
    { operations: [operation, 'Decrypt'], variation: 'a user with a grant for it', outcome: 'ok' },
    {
      operations: [other],
      variation: 'a user with a grant for another operation',
      outcome: 'AccessDeniedException',
    },
    {
      operations: [operation],
      revoke: true,
      variation: 'a user whose grant was revoked',
      outcome: 'AccessDeniedException',
    },
  ].map(({ operations, revoke, variation, outcome }) => ({
    operation,
    topic: 'rights' as const,
    variation,
    outcome,
    source: grants,
    async ask(world: World) {
      const user = await world.user(`u-${randomBytes(8).toString('hex')}`)
      const key = await world.key('Enabled')
      const { GrantId } = await world.must('CreateGrant', {
        KeyId: key.keyId,
        GranteePrincipal: user.arn,
        Operations: operations,
      })
      if (revoke === true) await world.must('RevokeGrant', { KeyId: key.keyId, GrantId })
      const { others, member } = keyOperation(operation)
      const members = { ...(await others(key, world)), [member]: key.arn }
      return (await world.ask(operation, members, { caller: user.credentials })).outcome
    },
  }))
})

/** A condition on a statement that allows Decrypt, and whether a request with the context `{purpose: 'test'}` meets it. */
const onDecrypt: readonly [condition: object, meets: boolean][] = [
  [{ StringEquals: { 'kms:EncryptionContext:purpose': 'test' } }, true],
  [{ StringEquals: { 'kms:EncryptionContext:purpose': 'other' } }, false],
  [{ StringEquals: { 'kms:EncryptionContext:Purpose': 'test' } }, true],
  [{ StringEquals: { 'kms:EncryptionContext:purpose': 'Test' } }, false],
  [{ StringEqualsIgnoreCase: { 'kms:EncryptionContext:purpose': 'TEST' } }, true],
  [{ StringLike: { 'kms:EncryptionContext:purpose': 't*' } }, true],
  [{ StringNotEquals: { 'kms:EncryptionContext:purpose': 'other' } }, true],
  [{ StringEquals: { 'kms:EncryptionContext:missing': 'test' } }, false],
  [{ StringEqualsIfExists: { 'kms:EncryptionContext:missing': 'test' } }, true],
  [{ Null: { 'kms:EncryptionContext:purpose': 'false' } }, true],
  [{ Null: { 'kms:EncryptionContext:purpose': 'true' } }, false],
  [{ 'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': ['purpose', 'team'] } }, true],
  [{ 'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': ['team'] } }, false],
  [{ 'ForAnyValue:StringEquals': { 'kms:EncryptionContextKeys': ['team', 'purpose'] } }, true],
  [{ StringEquals: { 'kms:CallerAccount': accountId } }, true],
  [{ StringEquals: { 'kms:CallerAccount': '444455556666' } }, false],
  [{ StringEquals: { 'kms:KeySpec': 'SYMMETRIC_DEFAULT' } }, true],
  [{ StringEquals: { 'kms:EncryptionAlgorithm': 'SYMMETRIC_DEFAULT' } }, true],
  [{ StringEquals: { 'kms:ViaService': 'ec2.us-east-1.amazonaws.com' } }, false],
  [{ Bool: { 'aws:SecureTransport': 'true' } }, false],
  [{ Bool: { 'aws:SecureTransport': 'false' } }, true],
  [{ Bool: { 'aws:MultiFactorAuthPresent': 'true' } }, false],
  [{ BoolIfExists: { 'aws:MultiFactorAuthPresent': 'true' } }, true],
  [{ NumericLessThan: { 'aws:MultiFactorAuthAge': '300' } }, false],
  [{ IpAddress: { 'aws:SourceIp': '127.0.0.0/8' } }, true],
  [{ NotIpAddress: { 'aws:SourceIp': '127.0.0.0/8' } }, false],
  [{ DateGreaterThan: { 'aws:CurrentTime': '2020-01-01T00:00:00Z' } }, true],
  [{ DateLessThan: { 'aws:CurrentTime': '2020-01-01T00:00:00Z' } }, false],
  [{ ArnLike: { 'aws:PrincipalArn': `arn:aws:iam::${accountId}:user/*` } }, true],
  [{ ArnEquals: { 'aws:PrincipalArn': rootArn } }, false],
  [{ StringLike: { 'aws:userid': 'AIDA*' } }, true],
  [{ StringEquals: { 'aws:PrincipalTag/team': 'payroll' } }, false],
  [{ StringEquals: { 'aws:ResourceTag/team': 'payroll' } }, true],
  [{ StringEquals: { 'aws:ResourceTag/team': 'other' } }, false],
  [{ 'ForAnyValue:StringLike': { 'kms:ResourceAliases': 'alias/*' } }, true],
  [{ StringLike: { 'kms:RequestAlias': 'alias/*' } }, false],
]

const byCondition: readonly ConformanceCase[] = onDecrypt.map(([Condition, meets]) => ({
  operation: 'Decrypt',
  topic: 'rights',
  variation: `the condition ${JSON.stringify(Condition)}`,
  outcome: meets ? 'ok' : 'AccessDeniedException',
  source: conditions,
  async ask(world) {
    const user = await world.user(`u-${randomBytes(8).toString('hex')}`)
    const key = await world.key('Enabled')
    await world.must('TagResource', { KeyId: key.keyId, Tags: [{ TagKey: 'team', TagValue: 'payroll' }] })
    const statement = { ...allow, Principal: { AWS: user.arn }, Action: 'kms:Decrypt', Condition }
    await world.must('PutKeyPolicy', {
      KeyId: key.keyId,
      Policy: JSON.stringify({ Statement: [...delegates(), statement] }),
    })
    return (await world.ask('Decrypt', decryptMembers(key), { caller: user.credentials })).outcome
  },
}))

/** Constraints of a grant for Decrypt, and whether a request with the context `{purpose: 'test'}` meets them. */
const onGrant: readonly [constraints: object, meets: boolean][] = [
  [{ EncryptionContextEquals: { purpose: 'test' } }, true],
  [{ EncryptionContextEquals: { purpose: 'other' } }, false],
  [{ EncryptionContextEquals: { purpose: 'test', team: 'payroll' } }, false],
  [{ EncryptionContextSubset: { purpose: 'test' } }, true],
  [{ EncryptionContextSubset: { team: 'payroll' } }, false],
  [{ EncryptionContextSubset: { purpose: 'test', team: 'payroll' } }, false],
]

const byConstraint: readonly ConformanceCase[] = onGrant.map(([Constraints, meets]) => ({
  operation: 'Decrypt',
  topic: 'rights',
  variation: `a grant with ${JSON.stringify(Constraints)}`,
  outcome: meets ? 'ok' : 'AccessDeniedException',
  source: grants,
  async ask(world) {
    const user = await world.user(`u-${randomBytes(8).toString('hex')}`)
    const key = await world.key('Enabled')
    await world.must('CreateGrant', {
      KeyId: key.keyId,
      GranteePrincipal: user.arn,
      Operations: ['Decrypt'],
      Constraints,
    })
    return (await world.ask('Decrypt', decryptMembers(key), { caller: user.credentials })).outcome
  },
}))

function decryptMembers({ arn, blob }: CaseKey): Record<string, unknown> {
  return { KeyId: arn, CiphertextBlob: blob, EncryptionContext: context }
}

export const rightsCases: readonly ConformanceCase[] = [
  ...byPolicy,
  ...byGrant,
  ...byCondition,
  ...byConstraint,
]
