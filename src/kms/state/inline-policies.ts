import type { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import type { IdentityTags } from './identity-tags.ts'

const inlinePolicyRow = z.object({ owner_id: z.string(), policy_name: z.string(), document: z.string() })

/** The inline policies of users, groups and roles, all in memory. An owner is named by its unique id. */
export class InlinePolicies {
  readonly #database: DatabaseSync
  readonly #identityTags: IdentityTags
  readonly #onChange: () => void
  readonly #byOwner = new Map<string, Map<string, string>>()

  /** `onChange` is told of each change after the commit. */
  constructor(database: DatabaseSync, identityTags: IdentityTags, onChange: () => void) {
    this.#database = database
    this.#identityTags = identityTags
    this.#onChange = onChange
    for (const found of database.prepare('SELECT * FROM inline_policies').iterate()) {
      const row = inlinePolicyRow.parse(found)
      this.#remember(row.owner_id, row.policy_name, row.document)
    }
  }

  put(ownerId: string, policyName: string, document: string): void {
    this.#identityTags.change([ownerId], () =>
      this.#database
        .prepare(
          'INSERT INTO inline_policies (owner_id, policy_name, document) VALUES (?, ?, ?) ' +
            'ON CONFLICT DO UPDATE SET document = excluded.document',
        )
        .run(ownerId, policyName, document),
    )
    this.#remember(ownerId, policyName, document)
    this.#onChange()
  }

  delete(ownerId: string, policyName: string): void {
    this.#identityTags.change([ownerId], () =>
      this.#database
        .prepare('DELETE FROM inline_policies WHERE owner_id = ? AND policy_name = ?')
        .run(ownerId, policyName),
    )
    const policies = this.#byOwner.get(ownerId)
    policies?.delete(policyName)
    if (policies?.size === 0) this.#byOwner.delete(ownerId)
    this.#onChange()
  }

  /** The documents as they were put, by name. */
  of(ownerId: string): ReadonlyMap<string, string> {
    return this.#byOwner.get(ownerId) ?? new Map<string, string>()
  }

  #remember(ownerId: string, policyName: string, document: string): void {
    const policies = this.#byOwner.get(ownerId) ?? new Map<string, string>()
    this.#byOwner.set(ownerId, policies.set(policyName, document))
  }
}
