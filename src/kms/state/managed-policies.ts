import type { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { managedPolicyArn } from '../arn.ts'
import { builtInPolicies } from './built-in-policies.ts'
import type { IdentityTags } from './identity-tags.ts'
import type { ManagedPolicy, PolicyVersion } from './managed-policy.ts'
import { NamedIndex } from './named-index.ts'
import { readTexts, writeTexts } from './texts-column.ts'
import { uniqueId } from './unique-id.ts'

const policyRow = z.object({
  policy_id: z.string(),
  policy_name: z.string(),
  path: z.string(),
  description: z.string().nullable(),
  tags: z.string(),
  default_version: z.number(),
  created_at: z.number(),
  updated_at: z.number(),
})
const versionRow = z.object({ version: z.number(), document: z.string(), created_at: z.number() })
const lastVersionRow = z.object({ last_version: z.number() })

/** The managed policies, all in memory: those of the account and the built-in ones. */
export class ManagedPolicies {
  readonly #database: DatabaseSync
  readonly #accountId: string
  readonly #identityTags: IdentityTags
  readonly #onChange: () => void
  readonly #index = new NamedIndex<ManagedPolicy>(
    ({ policyId }) => policyId,
    ({ policyName }) => policyName,
  )
  readonly #builtIn = new Map(builtInPolicies.map((policy) => [policy.arn, policy]))

  /** `onChange` is told, after the commit, when another document is in force. */
  constructor(database: DatabaseSync, accountId: string, identityTags: IdentityTags, onChange: () => void) {
    this.#database = database
    this.#accountId = accountId
    this.#identityTags = identityTags
    this.#onChange = onChange
    for (const row of database.prepare('SELECT * FROM managed_policies').all()) this.#remember(row)
  }

  /** Of the account's own. */
  get count(): number {
    return this.#index.size
  }

  /** There must be no policy of that name. */
  create(attributes: {
    policyName: string
    path: string
    description: string | undefined
    tags: ReadonlyMap<string, string>
    document: string
  }): ManagedPolicy {
    const policyId = uniqueId('ANPA')
    const now = Date.now()
    this.#identityTags.change([policyId], () => {
      this.#database
        .prepare(
          'INSERT INTO managed_policies (policy_id, policy_name, path, description, tags, default_version, ' +
            'last_version, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, 1, 1, ?6, ?6)',
        )
        .run(
          policyId,
          attributes.policyName,
          attributes.path,
          attributes.description ?? null,
          writeTexts(attributes.tags),
          now,
        )
      this.#insertVersion(policyId, 1, attributes.document)
    })
    return this.#reload(policyId)
  }

  /** Returns the policy with its new version, and the version's number. */
  addVersion(policy: ManagedPolicy, document: string, setAsDefault: boolean): PolicyVersion {
    const { policyId } = policy
    const number = this.#identityTags.change([policyId], () => {
      const row = this.#database
        .prepare(
          'UPDATE managed_policies SET last_version = last_version + 1, updated_at = ? WHERE policy_id = ? ' +
            'RETURNING last_version',
        )
        .get(Date.now(), policyId)
      const version = lastVersionRow.parse(row).last_version
      this.#insertVersion(policyId, version, document)
      if (setAsDefault) this.#updateDefault(policyId, version)
      return version
    })
    const added = this.#reload(policyId).versions.get(number)
    this.#onChange()
    if (added === undefined) throw new Error(`version ${number} of policy ${policyId} is gone`)
    return added
  }

  /** It must not be the default version. */
  deleteVersion(policy: ManagedPolicy, number: number): void {
    this.#identityTags.change([policy.policyId], () => {
      this.#database
        .prepare('DELETE FROM managed_policy_versions WHERE policy_id = ? AND version = ?')
        .run(policy.policyId, number)
      this.#database
        .prepare('UPDATE managed_policies SET updated_at = ? WHERE policy_id = ?')
        .run(Date.now(), policy.policyId)
    })
    this.#reload(policy.policyId)
  }

  setDefaultVersion(policy: ManagedPolicy, number: number): void {
    this.#identityTags.change([policy.policyId], () => {
      this.#updateDefault(policy.policyId, number)
    })
    this.#reload(policy.policyId)
    this.#onChange()
  }

  setTags(policy: ManagedPolicy, tags: ReadonlyMap<string, string>): void {
    this.#identityTags.change([policy.policyId], () =>
      this.#database
        .prepare('UPDATE managed_policies SET tags = ? WHERE policy_id = ?')
        .run(writeTexts(tags), policy.policyId),
    )
    this.#reload(policy.policyId)
  }

  /** With its versions. It must be attached to nobody. */
  delete(policy: ManagedPolicy): void {
    this.#identityTags.change([policy.policyId], () => {
      this.#database.prepare('DELETE FROM managed_policy_versions WHERE policy_id = ?').run(policy.policyId)
      this.#database.prepare('DELETE FROM managed_policies WHERE policy_id = ?').run(policy.policyId)
    })
    this.#index.delete(policy)
  }

  /** Of the account's own. */
  named(policyName: string): ManagedPolicy | undefined {
    return this.#index.named(policyName)
  }

  withId(policyId: string): ManagedPolicy | undefined {
    return this.#index.withId(policyId) ?? builtInPolicies.find((policy) => policy.policyId === policyId)
  }

  /** The policy that has exactly this ARN. */
  withArn(arn: string): ManagedPolicy | undefined {
    const policy = this.named(arn.slice(arn.lastIndexOf('/') + 1))
    return policy?.arn === arn ? policy : this.#builtIn.get(arn)
  }

  /** In no order. */
  all(): ManagedPolicy[] {
    return [...this.#index.all(), ...builtInPolicies]
  }

  #insertVersion(policyId: string, number: number, document: string): void {
    this.#database
      .prepare(
        'INSERT INTO managed_policy_versions (policy_id, version, document, created_at) VALUES (?, ?, ?, ?)',
      )
      .run(policyId, number, document, Date.now())
  }

  #updateDefault(policyId: string, number: number): void {
    this.#database
      .prepare('UPDATE managed_policies SET default_version = ?, updated_at = ? WHERE policy_id = ?')
      .run(number, Date.now(), policyId)
  }

  #reload(policyId: string): ManagedPolicy {
    return this.#remember(
      this.#database.prepare('SELECT * FROM managed_policies WHERE policy_id = ?').get(policyId),
    )
  }

  #remember(found: unknown): ManagedPolicy {
    const row = policyRow.parse(found)
    const versions = this.#readVersions(row.policy_id)
    const defaultVersion = versions.get(row.default_version)
    if (defaultVersion === undefined) throw new Error(`policy ${row.policy_id} has no default version`)
    const policy = {
      policyId: row.policy_id,
      policyName: row.policy_name,
      path: row.path,
      arn: managedPolicyArn(this.#accountId, row.path, row.policy_name),
      description: row.description ?? undefined,
      tags: readTexts(row.tags),
      versions,
      defaultVersion,
      builtIn: false,
      createdAt: new Date(row.created_at),
      updatedAt: new Date(row.updated_at),
    }
    this.#index.put(policy)
    return policy
  }

  #readVersions(policyId: string): Map<number, PolicyVersion> {
    const rows = this.#database
      .prepare('SELECT * FROM managed_policy_versions WHERE policy_id = ? ORDER BY version')
      .all(policyId)
      .map((found) => versionRow.parse(found))
    return new Map(
      rows.map(({ version, document, created_at: createdAt }) => [
        version,
        { number: version, document, createdAt: new Date(createdAt) },
      ]),
    )
  }
}
