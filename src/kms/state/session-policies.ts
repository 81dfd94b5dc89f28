import type { Logger } from 'pino'
import { type NamedPolicy, parseStoredPolicy } from '../policy/document.ts'
import type { ManagedPolicies } from './managed-policies.ts'
import type { RoleSession } from './session-details.ts'

interface Source {
  readonly source: string
  readonly text: string | undefined
}

/**
 * The session policies of role sessions, parsed once. Managed ones hold as they are at the time of the request; one that
 * is no more allows nothing.
 */
export class SessionPolicies {
  readonly #managedPolicies: ManagedPolicies
  readonly #log: Logger
  readonly #parsed = new WeakMap<
    RoleSession,
    { sources: readonly Source[]; policies: readonly NamedPolicy[] }
  >()

  constructor(managedPolicies: ManagedPolicies, log: Logger) {
    this.#managedPolicies = managedPolicies
    this.#log = log
  }

  /** Undefined: nothing limits the session. The same array as long as they are the same. */
  of(session: RoleSession): readonly NamedPolicy[] | undefined {
    if (session.policy === undefined && session.policyArns.length === 0) return undefined
    const sources = this.#sourcesOf(session)
    const parsed = this.#parsed.get(session)
    if (parsed?.sources.every(({ text }, i) => text === sources[i]?.text) === true) return parsed.policies
    const policies = sources.map((one) => this.#parse(one))
    this.#parsed.set(session, { sources, policies })
    return policies
  }

  #sourcesOf({ policy, policyArns }: RoleSession): Source[] {
    const inline = policy === undefined ? [] : [{ source: 'session policy', text: policy }]
    const managed = policyArns.map((arn) => ({
      source: arn,
      text: this.#managedPolicies.withArn(arn)?.defaultVersion.document,
    }))
    return [...inline, ...managed]
  }

  #parse({ source, text }: Source): NamedPolicy {
    if (text === undefined) return { source, document: { statements: [] } }
    const document = parseStoredPolicy('session', text, (why) => {
      this.#log.error({ source, why }, 'a session policy can not be read: it denies everything')
    })
    return { source, document }
  }
}
