import type { EncryptionContext } from '../ciphertext.ts'

/** What a grant gives. https://docs.aws.amazon.com/kms/latest/developerguide/grants.html */
export interface GrantTerms {
  /** Such as `Decrypt`. */
  readonly operations: readonly string[]
  readonly constraints: GrantConstraints | undefined
}

/** On the encryption context of the request. The names of its pairs are the same in any case, the values are not. */
export interface GrantConstraints {
  readonly encryptionContextEquals?: EncryptionContext | undefined
  readonly encryptionContextSubset?: EncryptionContext | undefined
}

/** A grant for the key that a request is about, as far as it is in effect for the request. */
export interface ApplicableGrant extends GrantTerms {
  readonly grantId: string
  /** The ARN of a user, a role, a session of a role, or the account's root user. */
  readonly granteePrincipal: string
  /**
   * The unique id that the grantee had when the grant was made (of a session, `AROA…:NAME`); undefined for the root
   * user, who has none.
   */
  readonly granteeId: string | undefined
}

/** The operations whose requests have an encryption context; constraints are about these alone. */
const withEncryptionContext: ReadonlySet<string> = new Set([
  'Encrypt',
  'Decrypt',
  'ReEncryptFrom',
  'ReEncryptTo',
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
])

/** What a grant is asked for: `kms:ACTION`, with the context of the request, or the terms of the grant to be made. */
export interface GrantQuestion {
  readonly action: string
  readonly encryptionContext: EncryptionContext | undefined
  readonly newGrant: NewGrant | undefined
}

/** The terms of a grant that is to be made; `any`: the question is whether there are some that could be. */
export type NewGrant = GrantTerms | 'any'

/** Whether the terms cover the request; whose the grant is is not asked. */
export function covers(terms: GrantTerms, { action, encryptionContext, newGrant }: GrantQuestion): boolean {
  const operation = action.replace(/^kms:/, '')
  if (!terms.operations.includes(operation)) return false
  if (operation === 'CreateGrant') {
    return newGrant === 'any' || (newGrant !== undefined && isWithin(newGrant, terms))
  }
  if (!withEncryptionContext.has(operation) || terms.constraints === undefined) return true
  return meets(encryptionContext ?? new Map(), terms.constraints)
}

/** Who may make grants by a grant may pass on no more than it gives. */
function isWithin(inner: GrantTerms, outer: GrantTerms): boolean {
  return (
    inner.operations.every((operation) => outer.operations.includes(operation)) &&
    isAsStrict(inner.constraints ?? {}, outer.constraints ?? {})
  )
}

function isAsStrict(inner: GrantConstraints, outer: GrantConstraints): boolean {
  const { encryptionContextEquals: exact, encryptionContextSubset: least } = inner
  const { encryptionContextEquals: outerExact, encryptionContextSubset: outerLeast } = outer
  if (outerExact !== undefined && (exact === undefined || !meets(exact, outer))) return false
  if (outerLeast === undefined) return true
  return [exact, least].some((pairs) => pairs !== undefined && hasPairs(pairs, outerLeast))
}

function meets(context: EncryptionContext, constraints: GrantConstraints): boolean {
  const { encryptionContextEquals: exact, encryptionContextSubset: least } = constraints
  if (exact !== undefined && !areSame(context, exact)) return false
  return least === undefined || hasPairs(context, least)
}

function areSame(context: EncryptionContext, exact: EncryptionContext): boolean {
  return context.size === exact.size && hasPairs(context, exact) && hasPairs(exact, context)
}

/** A name that the context has twice, in different case, has no one value and fits nothing. */
function hasPairs(context: EncryptionContext, wanted: EncryptionContext): boolean {
  const given = valuesByName(context)
  for (const [name, value] of wanted) {
    if (given.get(name.toLowerCase()) !== value) return false
  }
  return true
}

type ValuesByName = ReadonlyMap<string, string | undefined>

/** One context is held against all the grants of a principal. */
const known = new WeakMap<EncryptionContext, ValuesByName>()

/** By name in lower case; undefined for a name that is there twice. */
function valuesByName(context: EncryptionContext): ValuesByName {
  const values = known.get(context) ?? sortOut(context)
  known.set(context, values)
  return values
}

function sortOut(context: EncryptionContext): ValuesByName {
  const values = new Map<string, string | undefined>()
  for (const [name, value] of context) {
    const lower = name.toLowerCase()
    values.set(lower, values.has(lower) ? undefined : value)
  }
  return values
}
