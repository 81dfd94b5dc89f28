import type { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { roleArn } from '../arn.ts'
import type { IdentityTags } from './identity-tags.ts'
import { NamedIndex } from './named-index.ts'
import { readTexts, writeTexts } from './texts-column.ts'
import { uniqueId } from './unique-id.ts'

export interface Role extends RoleAttributes {
  /** `AROA` and 16 letters or digits, never used again. */
  readonly roleId: string
  readonly roleName: string
  readonly path: string
  readonly arn: string
  readonly tags: ReadonlyMap<string, string>
  readonly createdAt: Date
}

/** What can be changed about a role. */
export interface RoleAttributes {
  readonly description: string | undefined
  /** 3600 to 43200. */
  readonly maxSessionSeconds: number
  readonly trust: Trust
}

/** Who may assume a role. */
export interface Trust {
  /** As it was put. */
  readonly document: string
  /** The unique ids of the users and roles that the document names, by their ARNs when it was put. */
  readonly principalIds: ReadonlyMap<string, string>
}

const roleRow = z.object({
  role_id: z.string(),
  role_name: z.string(),
  path: z.string(),
  description: z.string().nullable(),
  trust_policy: z.string(),
  trust_principals: z.string(),
  max_session_seconds: z.number(),
  tags: z.string(),
  created_at: z.number(),
})

/** The roles of the account, all in memory. A change makes a new `Role`. */
export class Roles {
  readonly #database: DatabaseSync
  readonly #accountId: string
  readonly #identityTags: IdentityTags
  readonly #index = new NamedIndex<Role>(
    ({ roleId }) => roleId,
    ({ roleName }) => roleName,
  )

  constructor(database: DatabaseSync, accountId: string, identityTags: IdentityTags) {
    this.#database = database
    this.#accountId = accountId
    this.#identityTags = identityTags
    for (const row of database.prepare('SELECT * FROM roles').iterate()) this.#index.put(this.#read(row))
  }

  get count(): number {
    return this.#index.size
  }

  /** There must be no role of that name. */
  create(
    name: { roleName: string; path: string; tags: ReadonlyMap<string, string> },
    attributes: RoleAttributes,
  ): Role {
    const roleId = uniqueId('AROA')
    this.#identityTags.change([roleId], () =>
      this.#database
        .prepare(
          'INSERT INTO roles (role_id, role_name, path, tags, description, max_session_seconds, trust_policy, ' +
            'trust_principals, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
        )
        .run(roleId, name.roleName, name.path, writeTexts(name.tags), ...columns(attributes), Date.now()),
    )
    return this.#reload(roleId)
  }

  update(role: Role, changes: Partial<RoleAttributes>): Role {
    this.#identityTags.change([role.roleId], () =>
      this.#database
        .prepare(
          'UPDATE roles SET description = ?, max_session_seconds = ?, trust_policy = ?, trust_principals = ? ' +
            'WHERE role_id = ?',
        )
        .run(...columns({ ...role, ...changes }), role.roleId),
    )
    return this.#reload(role.roleId)
  }

  setTags(role: Role, tags: ReadonlyMap<string, string>): void {
    this.#identityTags.change([role.roleId], () =>
      this.#database
        .prepare('UPDATE roles SET tags = ? WHERE role_id = ?')
        .run(writeTexts(tags), role.roleId),
    )
    this.#reload(role.roleId)
  }

  /** It must be without policies. */
  delete(role: Role): void {
    this.#identityTags.change([role.roleId], () =>
      this.#database.prepare('DELETE FROM roles WHERE role_id = ?').run(role.roleId),
    )
    this.#index.delete(role)
  }

  named(roleName: string): Role | undefined {
    return this.#index.named(roleName)
  }

  withId(roleId: string): Role | undefined {
    return this.#index.withId(roleId)
  }

  /** The role that has exactly this ARN. */
  withArn(arn: string): Role | undefined {
    const role = this.named(arn.slice(arn.lastIndexOf('/') + 1))
    return role?.arn === arn ? role : undefined
  }

  /** In no order. */
  all(): Role[] {
    return this.#index.all()
  }

  #reload(roleId: string): Role {
    const role = this.#read(this.#database.prepare('SELECT * FROM roles WHERE role_id = ?').get(roleId))
    this.#index.put(role)
    return role
  }

  #read(found: unknown): Role {
    const row = roleRow.parse(found)
    return {
      roleId: row.role_id,
      roleName: row.role_name,
      path: row.path,
      arn: roleArn(this.#accountId, row.path, row.role_name),
      description: row.description ?? undefined,
      maxSessionSeconds: row.max_session_seconds,
      trust: { document: row.trust_policy, principalIds: readTexts(row.trust_principals) },
      tags: readTexts(row.tags),
      createdAt: new Date(row.created_at),
    }
  }
}

function columns({ description, maxSessionSeconds, trust }: RoleAttributes) {
  return [description ?? null, maxSessionSeconds, trust.document, writeTexts(trust.principalIds)] as const
}
