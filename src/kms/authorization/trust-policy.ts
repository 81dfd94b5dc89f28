import type { Logger } from 'pino'
import { bindPrincipals } from '../policy/bound-principals.ts'
import { type NamedPolicy, parseStoredPolicy } from '../policy/document.ts'
import type { Role } from '../state/roles.ts'

/** A role that changes is another object. */
const parsed = new WeakMap<Role, NamedPolicy>()

/** Who may assume the role, read once. Of a role that there is not: nobody. */
export function trustPolicy(role: Role | 'nobody', log: Logger): NamedPolicy {
  if (role === 'nobody') return { source: 'trust policy', document: { statements: [] } }
  const policy = parsed.get(role) ?? read(role, log)
  parsed.set(role, policy)
  return policy
}

function read({ roleName, trust }: Role, log: Logger): NamedPolicy {
  const document = parseStoredPolicy('trust', trust.document, (why) => {
    log.error({ roleName, why }, 'the stored trust policy of a role cannot be read, so it lets nobody in')
  })
  return {
    source: `trust policy of role ${roleName}`,
    document: bindPrincipals(document, trust.principalIds),
  }
}
