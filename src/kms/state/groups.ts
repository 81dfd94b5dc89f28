import type { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { groupArn } from '../arn.ts'
import type { IdentityTags } from './identity-tags.ts'
import { NamedIndex } from './named-index.ts'
import { PairIndex } from './pair-index.ts'
import { uniqueId } from './unique-id.ts'

export interface Group {
  /** `AGPA` and 16 letters or digits. */
  readonly groupId: string
  readonly groupName: string
  readonly path: string
  readonly arn: string
  readonly createdAt: Date
}

const groupRow = z.object({
  group_id: z.string(),
  group_name: z.string(),
  path: z.string(),
  created_at: z.number(),
})
const memberRow = z.object({ group_id: z.string(), user_id: z.string() })

/** The groups of the account and which users are in them, all in memory. */
export class Groups {
  readonly #database: DatabaseSync
  readonly #accountId: string
  readonly #identityTags: IdentityTags
  readonly #onChange: () => void
  readonly #index = new NamedIndex<Group>(
    ({ groupId }) => groupId,
    ({ groupName }) => groupName,
  )
  /** Group ids and user ids. */
  readonly #members = new PairIndex()

  /** `onChange` is told, after the commit, of all that may change what a user may do. */
  constructor(database: DatabaseSync, accountId: string, identityTags: IdentityTags, onChange: () => void) {
    this.#database = database
    this.#accountId = accountId
    this.#identityTags = identityTags
    this.#onChange = onChange
    for (const row of database.prepare('SELECT * FROM groups').iterate()) this.#index.put(this.#read(row))
    for (const found of database.prepare('SELECT * FROM group_members').iterate()) {
      const row = memberRow.parse(found)
      this.#members.add(row.group_id, row.user_id)
    }
  }

  get count(): number {
    return this.#index.size
  }

  /** There must be no group of that name. */
  create(groupName: string, path: string): Group {
    const groupId = uniqueId('AGPA')
    this.#identityTags.change([groupId], () =>
      this.#database
        .prepare('INSERT INTO groups (group_id, group_name, path, created_at) VALUES (?, ?, ?, ?)')
        .run(groupId, groupName, path, Date.now()),
    )
    return this.#reload(groupId)
  }

  rename(group: Group, groupName: string, path: string): Group {
    this.#identityTags.change([group.groupId], () =>
      this.#database
        .prepare('UPDATE groups SET group_name = ?, path = ? WHERE group_id = ?')
        .run(groupName, path, group.groupId),
    )
    this.#onChange()
    return this.#reload(group.groupId)
  }

  /** It must be without members and policies. */
  delete(group: Group): void {
    this.#identityTags.change([group.groupId], () =>
      this.#database.prepare('DELETE FROM groups WHERE group_id = ?').run(group.groupId),
    )
    this.#index.delete(group)
  }

  add(group: Group, userId: string): void {
    this.#identityTags.change([userId], () =>
      this.#database
        .prepare('INSERT INTO group_members (group_id, user_id) VALUES (?, ?) ON CONFLICT DO NOTHING')
        .run(group.groupId, userId),
    )
    this.#members.add(group.groupId, userId)
    this.#onChange()
  }

  remove(group: Group, userId: string): void {
    this.#identityTags.change([userId], () =>
      this.#database
        .prepare('DELETE FROM group_members WHERE group_id = ? AND user_id = ?')
        .run(group.groupId, userId),
    )
    this.#members.delete(group.groupId, userId)
    this.#onChange()
  }

  named(groupName: string): Group | undefined {
    return this.#index.named(groupName)
  }

  withId(groupId: string): Group | undefined {
    return this.#index.withId(groupId)
  }

  /** In no order. */
  all(): Group[] {
    return this.#index.all()
  }

  /** The ids of the users that are in it. */
  memberIds(group: Group): readonly string[] {
    return this.#members.rightOf(group.groupId)
  }

  /** The groups that a user is in. */
  ofUser(userId: string): Group[] {
    return this.#members.leftOf(userId).flatMap((groupId) => this.#index.withId(groupId) ?? [])
  }

  #reload(groupId: string): Group {
    const group = this.#read(this.#database.prepare('SELECT * FROM groups WHERE group_id = ?').get(groupId))
    this.#index.put(group)
    return group
  }

  #read(found: unknown): Group {
    const row = groupRow.parse(found)
    return {
      groupId: row.group_id,
      groupName: row.group_name,
      path: row.path,
      arn: groupArn(this.#accountId, row.path, row.group_name),
      createdAt: new Date(row.created_at),
    }
  }
}
