import type { Decision, Ground } from '../policy/evaluate.ts'

/** Why, for people: names the statements. */
export function explain(decision: Decision): string {
  if (decision.allowed) return `allowed by ${decision.grounds.map(groundText).join(', and by ')}`
  switch (decision.because) {
    case 'explicit deny':
      return `denied by ${groundText(decision.ground)}`
    case 'no allow':
      return missing[decision.missing]
    case 'too much effort':
      return 'refused: the policies are too costly to evaluate'
  }
}

const missing = {
  'resource-based':
    'refused: the policy of the resource neither allows it to the principal nor leaves it to the account, and no grant does',
  'identity-based':
    'refused: it is left to the account, and no policy of the principal, its groups or its role allows it',
  session: "refused: the session's policies do not allow it",
} as const

function groundText(ground: Ground): string {
  switch (ground.type) {
    case 'grant':
      return `grant ${ground.grantId}`
    case 'root user':
      return "being the account's root user"
    default:
      return `${ground.statement} of ${ground.policy}`
  }
}
