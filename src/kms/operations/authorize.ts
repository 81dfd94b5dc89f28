import type { EncryptionContext } from '../ciphertext.ts'
import { contextKeyPrefix } from '../policy/condition-keys.ts'
import type { ConditionContext } from '../policy/conditions.ts'
import { type Decision, evaluate } from '../policy/evaluate.ts'
import type { PolicyDocument } from '../policy/document.ts'
import { AwsException } from '../protocol/exceptions.ts'
import type { Key } from '../state/keys.ts'
import type { Call } from './call.ts'

/** Something that the caller has to be allowed. */
export interface Permission {
  /** Such as `kms:Decrypt`. */
  readonly action: string
  /** The key that it is about; its policy decides. Undefined: it concerns the whole account. */
  readonly key?: Key
  /** For what concerns the account: the ARN that it is about; `*` when left out. */
  readonly resource?: string
  readonly encryptionContext?: EncryptionContext
  /** Set for Encrypt, Decrypt and the like. */
  readonly encryptionAlgorithm?: string
  /** The alias by which the request names the key. */
  readonly requestAlias?: string | undefined
  readonly bypassesLockoutCheck?: boolean
}

/** Throws AccessDeniedException, in Amazon's words, unless the caller is allowed. */
export function authorize(permission: Permission, call: Call): void {
  const decision = decide(permission, call, permission.key?.policyDocument)
  if (decision.allowed) return
  const resource = permission.key?.arn ?? permission.resource ?? '*'
  throw new AwsException(
    'AccessDeniedException',
    `User: ${call.caller.arn} is not authorized to perform: ${permission.action} on resource: ${resource} ` +
      refusal(decision, permission.action),
  )
}

/** Whether the caller could put this key's policy if `policy` were it. */
export function couldPutKeyPolicy(key: { arn: string }, policy: PolicyDocument, call: Call): boolean {
  return decide({ action: 'kms:PutKeyPolicy', resource: key.arn }, call, policy).allowed
}

function decide(permission: Permission, call: Call, keyPolicy: PolicyDocument | undefined): Decision {
  // One for all statements of the policy: with many pairs it is not made in no time.
  let context: ConditionContext | undefined
  return evaluate(
    {
      principal: call.caller,
      action: permission.action,
      resource: permission.key?.arn ?? permission.resource ?? '*',
      context: () => (context ??= conditionContext(permission, call)),
    },
    // Identity policies come with the next part of IAM.
    { keyPolicy, identityPolicies: [] },
  )
}

function refusal(decision: Decision & { allowed: false }, action: string): string {
  switch (decision.because) {
    case 'explicit deny':
      return 'with an explicit deny in a resource-based policy'
    case 'no resource policy':
      return `because no resource-based policy allows the ${action} action`
    case 'no identity policy':
      return `because no identity-based policy allows the ${action} action`
  }
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html, and the page of KMS. */
function conditionContext(permission: Permission, call: Call): ConditionContext {
  const { caller, receivedAt } = call
  const context = new Map<string, string[]>([
    ['aws:currenttime', [receivedAt.toISOString()]],
    ['aws:epochtime', [String(Math.floor(receivedAt.getTime() / 1000))]],
    ['aws:principalaccount', [caller.accountId]],
    ['aws:principalarn', [caller.arn]],
    ['aws:principaltype', [caller.type === 'Root' ? 'Account' : 'User']],
    ['aws:securetransport', ['false']],
    ['aws:sourceip', [call.sourceIp]],
    ['aws:userid', [caller.principalId]],
    ['kms:calleraccount', [caller.accountId]],
  ])
  if (caller.type === 'IAMUser') context.set('aws:username', [caller.userName])
  if (call.userAgent !== undefined) context.set('aws:useragent', [call.userAgent])
  addKeyAttributes(context)
  if (permission.encryptionAlgorithm !== undefined) {
    context.set('kms:encryptionalgorithm', [permission.encryptionAlgorithm])
  }
  if (permission.requestAlias !== undefined) context.set('kms:requestalias', [permission.requestAlias])
  if (permission.bypassesLockoutCheck !== undefined) {
    context.set('kms:bypasspolicylockoutsafetycheck', [String(permission.bypassesLockoutCheck)])
  }
  addEncryptionContext(context, permission.encryptionContext)
  return context
}

/** Every key is of this kind as yet. */
function addKeyAttributes(context: Map<string, string[]>): void {
  context.set('kms:keyspec', ['SYMMETRIC_DEFAULT'])
  context.set('kms:keyusage', ['ENCRYPT_DECRYPT'])
  context.set('kms:keyorigin', ['AWS_KMS'])
  context.set('kms:multiregion', ['false'])
}

function addEncryptionContext(context: Map<string, string[]>, pairs: EncryptionContext | undefined): void {
  if (pairs === undefined || pairs.size === 0) return
  context.set('kms:encryptioncontextkeys', [...pairs.keys()])
  for (const [key, value] of pairs) {
    const name = contextKeyPrefix + key.toLowerCase()
    // Two context keys that differ in case alone are one condition key with two values, which no condition accepts.
    context.set(name, [...(context.get(name) ?? []), value])
  }
}
