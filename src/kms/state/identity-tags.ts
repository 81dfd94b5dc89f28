import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { z } from 'zod'
import type { RootKey } from '../seal/root-key.ts'
import { altered } from './altered.ts'
import { inTransaction } from './database.ts'

/** Of the tag that is over all others, and over the root user's access keys. */
const everybody = 'all'

const accessKeys = 'SELECT access_key_id, active FROM access_keys WHERE user_id IS ? ORDER BY access_key_id'
const policies = [
  'SELECT policy_name, document FROM inline_policies WHERE owner_id = ? ORDER BY policy_name',
  'SELECT policy_id FROM attached_policies WHERE owner_id = ? ORDER BY policy_id',
]

/** What is stored about a user, group, role, managed policy or OpenID Connect provider, by the first letters of its id. */
const queries: Readonly<Record<string, readonly string[]>> = {
  AIDA: [
    'SELECT user_name, path, tags, created_at FROM users WHERE user_id = ?',
    'SELECT group_id FROM group_members WHERE user_id = ? ORDER BY group_id',
    accessKeys,
    ...policies,
  ],
  AGPA: ['SELECT group_name, path, created_at FROM groups WHERE group_id = ?', ...policies],
  AROA: [
    'SELECT role_name, path, description, trust_policy, trust_principals, max_session_seconds, tags, created_at ' +
      'FROM roles WHERE role_id = ?',
    ...policies,
  ],
  ANPA: [
    'SELECT policy_name, path, description, tags, default_version, last_version, created_at, updated_at ' +
      'FROM managed_policies WHERE policy_id = ?',
    'SELECT version, document, created_at FROM managed_policy_versions WHERE policy_id = ? ORDER BY version',
  ],
  OIDC: ['SELECT name, client_ids, thumbprints, tags, created_at FROM oidc_providers WHERE provider_id = ?'],
}

const idRow = z.object({ id: z.string() })
const tagRow = z.object({ tag: z.instanceof(Uint8Array) })

/**
 * Tags by the root key over what says who may do what: a tag for each user, group, role, managed policy and
 * OpenID Connect provider, and one over all of these. Whoever can write to the database but has not the root key can neither give himself rights nor take away
 * what denies them; what he can do is to bring back the whole database as it once was.
 */
export class IdentityTags {
  readonly #database: DatabaseSync
  readonly #rootKey: RootKey
  readonly #statements = new Map<string, StatementSync>()

  constructor(database: DatabaseSync, rootKey: RootKey) {
    this.#database = database
    this.#rootKey = rootKey
  }

  /**
   * Runs `work`, which changes what is stored about those of these ids (none: about the root user), in one transaction
   * with their new tags. Durable when this returns, unless a transaction is open already.
   */
  change<T>(ids: readonly string[], work: () => T): T {
    const changeAndTag = (): T => {
      const result = work()
      for (const id of ids) this.#write(id)
      this.#write(everybody)
      return result
    }
    return this.#database.isTransaction ? changeAndTag() : inTransaction(this.#database, changeAndTag)
  }

  /** For a database from before there were tags. */
  tagAll(): void {
    this.change(this.#ids(), () => undefined)
  }

  /** Throws `SR_KMS_DATABASE_DAMAGED` when anything is not as it was tagged. There are no tags while there is nobody. */
  check(): void {
    const ids = this.#ids()
    if (ids.length === 0 && this.#prepared(accessKeys).get(null) === undefined) return
    for (const id of [...ids, everybody]) {
      const found = this.#prepared('SELECT tag FROM identity_tags WHERE owner_id = ?').get(id)
      const content = this.#content(id)
      if (found === undefined || !this.#rootKey.isTag(tagRow.parse(found).tag, owner(id), content)) {
        throw altered(owner(id))
      }
    }
  }

  /** Of all that are there, and of all that have a tag. */
  #ids(): string[] {
    const query =
      'SELECT user_id AS id FROM users UNION SELECT group_id FROM groups UNION SELECT role_id FROM roles ' +
      'UNION SELECT policy_id FROM managed_policies UNION SELECT provider_id FROM oidc_providers ' +
      'UNION SELECT owner_id FROM identity_tags WHERE owner_id <> ?'
    return this.#prepared(query)
      .all(everybody)
      .map((found) => idRow.parse(found).id)
  }

  #write(id: string): void {
    if (!this.#isThere(id)) {
      this.#prepared('DELETE FROM identity_tags WHERE owner_id = ?').run(id)
      return
    }
    this.#prepared(
      'INSERT INTO identity_tags (owner_id, tag) VALUES (?, ?) ON CONFLICT DO UPDATE SET tag = excluded.tag',
    ).run(id, this.#rootKey.tag(owner(id), this.#content(id)))
  }

  /** The first of the queries is for the thing itself. */
  #isThere(id: string): boolean {
    const [itself] = queriesFor(id)
    return itself === undefined || this.#prepared(itself).get(id) !== undefined
  }

  #content(id: string): Buffer {
    if (id !== everybody) return json(queriesFor(id).map((query) => this.#prepared(query).all(id)))
    const others = 'SELECT owner_id, hex(tag) AS tag FROM identity_tags WHERE owner_id <> ? ORDER BY owner_id'
    return json([this.#prepared(accessKeys).all(null), this.#prepared(others).all(everybody)])
  }

  #prepared(query: string): StatementSync {
    const known = this.#statements.get(query) ?? this.#database.prepare(query)
    this.#statements.set(query, known)
    return known
  }
}

function queriesFor(id: string): readonly string[] {
  return queries[id.slice(0, 4)] ?? []
}

function owner(id: string): string {
  return id === everybody ? 'the list of users, groups, roles and policies' : `identity ${id}`
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value), 'utf8')
}
