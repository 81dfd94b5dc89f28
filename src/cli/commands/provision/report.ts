import { unifiedHunks } from '../../../deployment/text-diff.ts'
import type { Call } from '../../../provisioning/calls.ts'
import { doing } from '../../../provisioning/carry-out.ts'
import type { Plan } from '../../../provisioning/plan.ts'
import { normalText, policyText } from '../../../provisioning/policy.ts'
import { isAsExpected, type Proof } from '../../../provisioning/proof/probe.ts'
import type { Provisioning } from '../../../provisioning/provision.ts'

/** What would be called, each with its JSON, and the policies to read. */
export function callsInFull({ calls, plan, found }: Provisioning): string[] {
  if (calls.length === 0) return ['everything is as it must be']
  const { identity, masterKey } = plan
  return [
    ...calls.flatMap((call) => [
      `${call.service} ${call.operation}`,
      JSON.stringify(call.input, undefined, 2),
      ...differences(call, { calls, plan, found }),
      '',
    ]),
    'policy of the master key:',
    JSON.stringify(masterKey.policy, undefined, 2),
    ...(identity.kind === 'role'
      ? ['', 'who may assume the role:', JSON.stringify(identity.trustPolicy, undefined, 2)]
      : []),
  ]
}

/** For the question whether to make the calls. */
export function callsInShort({ calls, ...rest }: Omit<Provisioning, 'caller' | 'adopted'>): string[] {
  return calls.flatMap((call) => [
    `${call.service} ${call.operation}: ${doing(call)}`,
    ...differences(call, { calls, ...rest }).map((line) => `  ${line}`),
  ])
}

export function planAsJson({ server, identity, masterKey, keyringId }: Plan) {
  return {
    server,
    identity: { kind: identity.kind, arn: identity.arn, tags: identity.tags },
    masterKey: { alias: masterKey.alias, description: masterKey.description, tags: masterKey.tags },
    keyringId: keyringId ?? null,
    policies: {
      key: masterKey.policy,
      ...(identity.kind === 'role' && { trust: identity.trustPolicy }),
    },
  }
}

/** One line each: who, action, expected, found. */
export function tableOf(proofs: readonly Proof[]): string[] {
  const rows = proofs.map(({ who, action, how, expected, found }) => [
    who,
    how === undefined ? action : `${action}, ${how}`,
    expected === 'allowed' ? 'must be allowed' : 'must be refused',
    found === expected ? 'is' : found === 'unclear' ? 'FAILED: neither was shown' : `FAILED: ${found}`,
  ])
  const widths = [0, 1, 2].map((column) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

export function failuresOf(proofs: readonly Proof[]): Proof[] {
  return proofs.filter((proof) => !isAsExpected(proof))
}

/** Of a policy that is there already. */
function differences(
  { operation }: Call,
  { plan, found }: Pick<Provisioning, 'plan' | 'found' | 'calls'>,
): string[] {
  if (operation === 'PutKeyPolicy') return diff(found.masterKey?.policy, policyText(plan.masterKey.policy))
  if (operation === 'UpdateAssumeRolePolicy' && plan.identity.kind === 'role')
    return diff(found.identity?.trustPolicy, policyText(plan.identity.trustPolicy))
  return []
}

function diff(former: string | undefined, next: string): string[] {
  return unifiedHunks(`${normalText(former ?? '')}\n`, `${normalText(next)}\n`)
}
