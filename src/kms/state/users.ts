import type { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { userArn } from '../arn.ts'
import type { IdentityTags } from './identity-tags.ts'
import { NamedIndex } from './named-index.ts'
import { readTexts, writeTexts } from './texts-column.ts'
import { uniqueId } from './unique-id.ts'

export interface User {
  /** `AIDA` and 16 letters or digits, never used again. */
  readonly userId: string
  readonly userName: string
  readonly path: string
  readonly arn: string
  readonly tags: ReadonlyMap<string, string>
  readonly createdAt: Date
}

const userRow = z.object({
  user_id: z.string(),
  user_name: z.string(),
  path: z.string(),
  tags: z.string(),
  created_at: z.number(),
})

/** The IAM users of the account, all in memory. A change makes a new `User`, so that an old one shows by identity. */
export class Users {
  readonly #database: DatabaseSync
  readonly #accountId: string
  readonly #identityTags: IdentityTags
  readonly #index = new NamedIndex<User>(
    ({ userId }) => userId,
    ({ userName }) => userName,
  )

  constructor(database: DatabaseSync, accountId: string, identityTags: IdentityTags) {
    this.#database = database
    this.#accountId = accountId
    this.#identityTags = identityTags
    for (const row of database.prepare('SELECT * FROM users').iterate()) this.#index.put(this.#read(row))
  }

  get count(): number {
    return this.#index.size
  }

  /** There must be no user of that name: names differ in more than case. */
  create(attributes: { userName: string; path: string; tags: ReadonlyMap<string, string> }): User {
    const userId = uniqueId('AIDA')
    this.#identityTags.change([userId], () =>
      this.#database
        .prepare('INSERT INTO users (user_id, user_name, path, tags, created_at) VALUES (?, ?, ?, ?, ?)')
        .run(userId, attributes.userName, attributes.path, writeTexts(attributes.tags), Date.now()),
    )
    return this.#reload(userId)
  }

  /** Its ARN changes, its id stays. */
  rename(user: User, userName: string, path: string): User {
    this.#identityTags.change([user.userId], () =>
      this.#database
        .prepare('UPDATE users SET user_name = ?, path = ? WHERE user_id = ?')
        .run(userName, path, user.userId),
    )
    return this.#reload(user.userId)
  }

  setTags(user: User, tags: ReadonlyMap<string, string>): void {
    this.#identityTags.change([user.userId], () =>
      this.#database
        .prepare('UPDATE users SET tags = ? WHERE user_id = ?')
        .run(writeTexts(tags), user.userId),
    )
    this.#reload(user.userId)
  }

  /** Nothing may hang on it any more. */
  delete(user: User): void {
    this.#identityTags.change([user.userId], () =>
      this.#database.prepare('DELETE FROM users WHERE user_id = ?').run(user.userId),
    )
    this.#index.delete(user)
  }

  named(userName: string): User | undefined {
    return this.#index.named(userName)
  }

  withId(userId: string): User | undefined {
    return this.#index.withId(userId)
  }

  /** The user that has exactly this ARN. */
  withArn(arn: string): User | undefined {
    const user = this.named(arn.slice(arn.lastIndexOf('/') + 1))
    return user?.arn === arn ? user : undefined
  }

  hasArn(arn: string): boolean {
    return this.withArn(arn) !== undefined
  }

  /** In no order. */
  all(): User[] {
    return this.#index.all()
  }

  #reload(userId: string): User {
    const user = this.#read(this.#database.prepare('SELECT * FROM users WHERE user_id = ?').get(userId))
    this.#index.put(user)
    return user
  }

  #read(found: unknown): User {
    const row = userRow.parse(found)
    return {
      userId: row.user_id,
      userName: row.user_name,
      path: row.path,
      arn: userArn(this.#accountId, row.path, row.user_name),
      tags: readTexts(row.tags),
      createdAt: new Date(row.created_at),
    }
  }
}
