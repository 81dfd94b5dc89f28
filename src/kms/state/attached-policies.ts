import type { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import type { IdentityTags } from './identity-tags.ts'
import { PairIndex } from './pair-index.ts'

const attachedPolicyRow = z.object({ owner_id: z.string(), policy_id: z.string() })

/** Which managed policies are attached to which users, groups and roles: all by unique id, all in memory. */
export class AttachedPolicies {
  readonly #database: DatabaseSync
  readonly #identityTags: IdentityTags
  readonly #onChange: () => void
  /** Owner ids and policy ids. */
  readonly #pairs = new PairIndex()

  /** `onChange` is told of each change after the commit. */
  constructor(database: DatabaseSync, identityTags: IdentityTags, onChange: () => void) {
    this.#database = database
    this.#identityTags = identityTags
    this.#onChange = onChange
    for (const found of database.prepare('SELECT * FROM attached_policies').iterate()) {
      const row = attachedPolicyRow.parse(found)
      this.#pairs.add(row.owner_id, row.policy_id)
    }
  }

  attach(ownerId: string, policyId: string): void {
    this.#identityTags.change([ownerId], () =>
      this.#database
        .prepare('INSERT INTO attached_policies (owner_id, policy_id) VALUES (?, ?) ON CONFLICT DO NOTHING')
        .run(ownerId, policyId),
    )
    this.#pairs.add(ownerId, policyId)
    this.#onChange()
  }

  detach(ownerId: string, policyId: string): void {
    this.#identityTags.change([ownerId], () =>
      this.#database
        .prepare('DELETE FROM attached_policies WHERE owner_id = ? AND policy_id = ?')
        .run(ownerId, policyId),
    )
    this.#pairs.delete(ownerId, policyId)
    this.#onChange()
  }

  has(ownerId: string, policyId: string): boolean {
    return this.#pairs.has(ownerId, policyId)
  }

  policyIdsOf(ownerId: string): readonly string[] {
    return this.#pairs.rightOf(ownerId)
  }

  ownerIdsOf(policyId: string): readonly string[] {
    return this.#pairs.leftOf(policyId)
  }
}
