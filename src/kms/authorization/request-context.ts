import type { ConditionContext } from '../policy/conditions.ts'
import type { Call } from '../operations/call.ts'
import type { Key } from '../state/keys/key.ts'
import { claimKeys } from '../federation/web-identity.ts'
import type { Principal } from '../principal.ts'
import { Pairs } from './pairs.ts'
import type { Permission } from './permission.ts'

type Values = readonly string[] | undefined

/**
 * What the conditions of policies are about. Nothing is computed that none of them asks for.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html, and the page of KMS
 */
export function requestContext(permission: Permission, call: Call): ConditionContext {
  const pairs = new Pairs(permission, call)
  return {
    get: (key) =>
      permission.conditionKeys?.get(key) ??
      ofRequest.get(key)?.(call) ??
      ofPermission.get(key)?.(permission, call) ??
      claimOf(call.caller, key) ??
      pairs.get(key),
  }
}

const ofRequest: ReadonlyMap<string, (call: Call) => Values> = table({
  'aws:currenttime': ({ receivedAt }) => [receivedAt.toISOString()],
  'aws:epochtime': ({ receivedAt }) => [seconds(receivedAt)],
  'aws:federatedprovider': ({ caller }) => one(caller.session?.webIdentity?.providerArn),
  'aws:multifactorauthage': ({ caller, receivedAt }) => {
    const since = caller.session?.mfaAuthenticatedAt
    return since && [String(Math.max(0, Math.floor((receivedAt.getTime() - since.getTime()) / 1000)))]
  },
  // Long-term credentials don't have it, not even as false.
  'aws:multifactorauthpresent': ({ caller: { session } }) =>
    session && [String(session.mfaAuthenticatedAt !== undefined)],
  'aws:principalaccount': ({ caller }) =>
    caller.type === 'WebIdentityUser' ? undefined : [caller.accountId],
  'aws:principalarn': ({ caller }) => one(principalArn(caller)),
  'aws:principalisawsservice': () => ['false'],
  'aws:principaltype': ({ caller }) => one(principalTypes[caller.type]),
  'aws:requestedregion': ({ state }) => [state.account.region],
  'aws:resourceaccount': ({ state }) => [state.account.accountId],
  'aws:securetransport': ({ secureTransport }) => [String(secureTransport)],
  'aws:sourceidentity': ({ caller }) => one(caller.session?.sourceIdentity),
  'aws:sourceip': ({ sourceIp }) => [sourceIp],
  'aws:tokenissuetime': ({ caller }) => one(caller.session?.issuedAt.toISOString()),
  'aws:useragent': ({ userAgent }) => one(userAgent),
  'aws:userid': ({ caller }) => (caller.type === 'WebIdentityUser' ? undefined : [caller.principalId]),
  'aws:username': ({ caller }) => (caller.type === 'IAMUser' ? [caller.userName] : undefined),
  'aws:viaawsservice': () => ['false'],
})

const principalTypes = {
  Root: 'Account',
  IAMUser: 'User',
  AssumedRole: 'AssumedRole',
  WebIdentityUser: undefined,
} as const

/** Of a role's session that of the role. Who has no identity in the account has none. */
function principalArn(caller: Principal): string | undefined {
  if (caller.type === 'WebIdentityUser') return undefined
  return caller.type === 'AssumedRole' ? caller.role.arn : caller.arn
}

/** What the token claimed by which a role's session began. */
function claimOf({ session }: Principal, key: string): Values {
  return session?.webIdentity === undefined ? undefined : claimKeys(session.webIdentity).get(key)
}

const ofPermission: ReadonlyMap<string, (permission: Permission, call: Call) => Values> = table({
  'kms:bypasspolicylockoutsafetycheck': ({ bypassesLockoutCheck: bypasses }) =>
    one(bypasses === undefined ? undefined : String(bypasses)),
  'kms:calleraccount': ({ action }, { caller }) =>
    one(action.startsWith('kms:') ? caller.accountId : undefined),
  'kms:customermasterkeyspec': ({ key }) => one(key && 'SYMMETRIC_DEFAULT'),
  'kms:customermasterkeyusage': ({ key }) => one(key && 'ENCRYPT_DECRYPT'),
  'kms:encryptionalgorithm': ({ encryptionAlgorithm }) => one(encryptionAlgorithm),
  'kms:keyorigin': ({ key }) => one(key?.origin),
  'kms:keyspec': ({ key }) => one(key && 'SYMMETRIC_DEFAULT'),
  'kms:keyusage': ({ key }) => one(key && 'ENCRYPT_DECRYPT'),
  'kms:multiregion': ({ key }) => one(key && String(key.multiRegion !== undefined)),
  'kms:multiregionkeytype': ({ key }) => one(key?.multiRegion?.type),
  'kms:requestalias': ({ requestAlias }) => one(requestAlias),
  'kms:resourcealiases': ({ key }, { state }) => some(key === undefined ? [] : aliasesOf(key, state)),
})

function aliasesOf({ keyId }: Key, { aliases }: Call['state']): string[] {
  return [...aliases.ofKey(keyId)]
}

function one(value: string | undefined): Values {
  return value === undefined ? undefined : [value]
}

/** A key without values is not there. */
function some(values: readonly string[]): Values {
  return values.length === 0 ? undefined : values
}

function seconds(time: Date): string {
  return String(Math.floor(time.getTime() / 1000))
}

/** Condition keys come from policies: none of them may find what objects inherit. */
function table<Row>(rows: Readonly<Record<string, Row>>): ReadonlyMap<string, Row> {
  return new Map(Object.entries(rows))
}
