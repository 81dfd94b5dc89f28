import { z } from 'zod'
import type { GrantTerms } from '../../policy/grant.ts'
import type { ConditionContext } from '../../policy/conditions.ts'
import { AwsException } from '../../protocol/exceptions.ts'
import { notYet } from '../../protocol/validation.ts'
import type { Grant } from '../../state/grants.ts'
import type { State } from '../call.ts'
import { operation } from '../operation.ts'
import { findKeyWithoutAlias } from './find-key.ts'
import {
  constrainedContext,
  constraintConditions,
  constraints,
  readConstraints,
} from './grant-constraints.ts'
import { grantName, grantOperations, principal, requireSymmetricOperations } from './grant-members.ts'
import { findPrincipal } from './grant-principals.ts'
import { requireGrantTokens } from './grant-tokens.ts'
import { requireKeyState } from './key-states.ts'
import { stopDryRun } from './key-use.ts'
import { flag, grantTokens, keyId } from './members.ts'

/** Amazon's quota. */
const grantsPerKey = 50_000
/** Of a key to one principal, for whose every request they are all looked at. Amazon's quota for that was 500 once. */
const grantsPerPrincipal = 1000

const input = z.object({
  Constraints: constraints,
  DryRun: flag,
  GranteePrincipal: principal,
  GranteeServicePrincipal: notYet('GranteeServicePrincipal'),
  GrantTokens: grantTokens,
  KeyId: keyId,
  Name: grantName,
  Operations: grantOperations,
  RetiringPrincipal: principal.optional(),
  RetiringServicePrincipal: notYet('RetiringServicePrincipal'),
})

/**
 * A grant allows from the answer on. Here that is at once; at Amazon it may take minutes, for which there are tokens.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateGrant.html
 */
export const createGrant = operation({
  name: 'CreateGrant',
  readOnly: false,
  input,
  find(request, { state }) {
    requireGrantTokens(request.GrantTokens, state)
    const key = findKeyWithoutAlias(request.KeyId, state)
    const terms = { operations: request.Operations, constraints: readConstraints(request.Constraints) }
    requireSymmetricOperations(terms.operations)
    return { key, terms }
  },
  permissions: (request, { key, terms }) => [
    {
      action: 'kms:CreateGrant',
      key,
      newGrant: terms,
      encryptionContext: constrainedContext(terms.constraints),
      conditionKeys: grantConditions(request, terms),
    },
  ],
  run(request, { key, terms }, { state }) {
    requireKeyState('CreateGrant', key)
    const wanted = wantedGrant(request, { keyId: key.keyId, terms }, state)
    const known = sameGrant(wanted, state)
    if (known === undefined) requireRoom(wanted, state)
    stopDryRun(request.DryRun)
    const { grantId } = known ?? state.grants.create(wanted)
    return { GrantId: grantId, GrantToken: state.grants.newToken(grantId) }
  },
  recordedAnswer: ({ GrantId }) => ({ grantId: GrantId }),
})

type Request = z.infer<typeof input>
type WantedGrant = Omit<Grant, 'grantId' | 'createdAt'>

function wantedGrant(
  { GranteePrincipal, RetiringPrincipal, Name }: Request,
  { keyId: ofKey, terms }: { keyId: string; terms: GrantTerms },
  state: State,
): WantedGrant {
  const grantee = findPrincipal(GranteePrincipal, state)
  const retiring = RetiringPrincipal === undefined ? undefined : findPrincipal(RetiringPrincipal, state)
  return {
    ...terms,
    keyId: ofKey,
    name: Name,
    granteePrincipal: grantee.arn,
    granteeId: grantee.id,
    retiringPrincipal: retiring?.arn,
    retiringId: retiring?.id,
  }
}

function requireRoom({ keyId: ofKey, ...to }: WantedGrant, { grants }: State): void {
  if (grants.count(ofKey) >= grantsPerKey) {
    throw new AwsException('LimitExceededException', `A key has at most ${grantsPerKey} grants.`)
  }
  if (grants.countTo(to.granteeId ?? to.granteePrincipal, ofKey) >= grantsPerPrincipal) {
    throw new AwsException(
      'LimitExceededException',
      `A key has at most ${grantsPerPrincipal} grants for one grantee principal.`,
    )
  }
}

/** With a name, a request that comes again makes no second grant. */
function sameGrant(wanted: WantedGrant, { grants }: State): Grant | undefined {
  if (wanted.name === undefined) return undefined
  const parameters = comparable(wanted)
  return grants
    .named(wanted.keyId, wanted.name, wanted.granteeId ?? wanted.granteePrincipal)
    .find((grant) => comparable(grant) === parameters)
}

/** What has to be the same; lists and pairs have no order. */
function comparable({ constraints: of, ...grant }: WantedGrant): string {
  const pairs = [...constrainedContext(of)].map((pair) => JSON.stringify(pair)).sort()
  return JSON.stringify([
    grant.granteeId ?? grant.granteePrincipal,
    grant.retiringId ?? grant.retiringPrincipal ?? null,
    [...grant.operations].sort(),
    of === undefined ? null : of.encryptionContextEquals === undefined ? 'subset' : 'equals',
    pairs,
  ])
}

/** https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html */
function grantConditions(
  { GranteePrincipal, RetiringPrincipal }: Request,
  terms: GrantTerms,
): ConditionContext {
  return new Map<string, readonly string[]>([
    ['kms:granteeprincipal', [GranteePrincipal]],
    ['kms:grantoperations', terms.operations],
    ['kms:grantisforawsresource', ['false']],
    ...(RetiringPrincipal === undefined ? [] : [['kms:retiringprincipal', [RetiringPrincipal]] as const]),
    ...constraintConditions(terms.constraints),
  ])
}
