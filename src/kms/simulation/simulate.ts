import { z } from 'zod'
import { decideBy, policiesFor } from '../authorization/decide.ts'
import { resourceOf } from '../authorization/permission.ts'
import type { Call, State } from '../operations/call.ts'
import type { NamedPolicy } from '../policy/document.ts'
import type { Decision, Policies, PolicyType } from '../policy/evaluate.ts'
import type { Principal } from '../principal.ts'
import { explain } from './explanation.ts'
import { keyActions } from './key-actions.ts'
import { type SimulationQuestion, simulationQuestion } from './question.ts'
import { simulatedPermission } from './simulated-permission.ts'
import { everyPrincipal, simulatedPrincipal, timeOf } from './simulated-principal.ts'
import { unanswerable } from './unanswerable.ts'

/** What would come of a request. */
export interface Simulation {
  /** The ARN; of a role, that of the session that would sign. */
  readonly principal: string
  readonly action: string
  readonly resource: string
  readonly decision: Decision
  /** The decision in words. */
  readonly why: string
  /** Every policy that had a say. */
  readonly policies: readonly { readonly type: PolicyType; readonly policy: string }[]
  /** Every grant that the principal has for the key. */
  readonly grants: readonly string[]
  /** What a key that is not Enabled can't do, it can't do for whom it is allowed either. */
  readonly keyState: string | undefined
}

/**
 * Says who may do what, and why, by the same code that decides about requests. `body` is a `SimulationQuestion`, not
 * yet checked. Throws SR_KMS_SIMULATION when it has no answer: no such principal, key or region.
 */
export function simulate(body: unknown, home: State): Simulation[] {
  const question = readQuestion(body)
  const state = home.regions.get(question.region ?? home.account.region)
  if (state === undefined) throw unanswerable(`the region ${question.region ?? ''} is not served`)
  const principals =
    question.principal === undefined
      ? everyPrincipal(question, state)
      : [simulatedPrincipal(question.principal, question, state)]
  const actions = question.actions ?? keyActions
  return principals.flatMap((principal) =>
    actions.map((action) => simulateOne(action, { principal, question, state })),
  )
}

function simulateOne(
  action: string,
  { principal, question, state }: { principal: Principal; question: SimulationQuestion; state: State },
): Simulation {
  const permission = simulatedPermission(action, question, state)
  const call = simulatedCall(principal, question, state)
  const policies = policiesFor(permission, call)
  const decision = decideBy(policies, permission, call)
  return {
    principal: principal.arn,
    action,
    resource: resourceOf(permission),
    decision,
    why: explain(decision),
    policies: considered(policies),
    grants: policies.grants.map(({ grantId }) => grantId),
    keyState: permission.key?.state,
  }
}

function readQuestion(body: unknown): SimulationQuestion {
  const parsed = simulationQuestion.safeParse(body)
  if (!parsed.success) throw unanswerable(z.prettifyError(parsed.error), parsed.error)
  const { actions, key, resource } = parsed.data
  if (actions === undefined && key === undefined) throw unanswerable('neither an action nor a key is named')
  if (key !== undefined && resource !== undefined)
    throw unanswerable('a request is about a key or something else')
  return parsed.data
}

function simulatedCall(caller: Principal, question: SimulationQuestion, state: State): Call {
  const { sourceIp, secureTransport, userAgent } = question
  return {
    ...{ caller, sourceIp, secureTransport, userAgent, state },
    receivedAt: timeOf(question),
    requestId: '',
    eventId: '',
    seen: {},
  }
}

function considered({
  resourcePolicy,
  identityPolicies,
  sessionPolicies = [],
}: Policies): Simulation['policies'] {
  const typed = (type: PolicyType, policies: readonly NamedPolicy[]): Simulation['policies'] =>
    policies.map(({ source }) => ({ type, policy: source }))
  return [
    ...typed('resource-based', resourcePolicy === undefined ? [] : [resourcePolicy]),
    ...typed('identity-based', identityPolicies),
    ...typed('session', sessionPolicies),
  ]
}
