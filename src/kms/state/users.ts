import { randomInt } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { userArn } from '../arn.ts'

export interface User {
  /** `AIDA` and 16 letters or digits, never used again. */
  readonly userId: string
  readonly userName: string
  readonly path: string
  readonly arn: string
  readonly createdAt: Date
}

const userRow = z.object({
  user_id: z.string(),
  user_name: z.string(),
  path: z.string(),
  created_at: z.number(),
})

/** The IAM users of the account. */
export class Users {
  readonly #database: DatabaseSync
  readonly #accountId: string

  constructor(database: DatabaseSync, accountId: string) {
    this.#database = database
    this.#accountId = accountId
  }

  /** Undefined when a user of that name exists; names differ in more than case. */
  create(userName: string, path: string): User | undefined {
    const { changes } = this.#database
      .prepare(
        'INSERT INTO users (user_id, user_name, path, created_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
      )
      .run(uniqueId('AIDA'), userName, path, Date.now())
    return changes === 0 ? undefined : this.named(userName)
  }

  named(userName: string): User | undefined {
    return this.#find('SELECT * FROM users WHERE user_name = ?', userName)
  }

  withId(userId: string): User | undefined {
    return this.#find('SELECT * FROM users WHERE user_id = ?', userId)
  }

  /** Whether a user has exactly this ARN. */
  hasArn(arn: string): boolean {
    const user = this.named(arn.slice(arn.lastIndexOf('/') + 1))
    return user?.arn === arn
  }

  #find(query: string, value: string): User | undefined {
    const found = this.#database.prepare(query).get(value)
    if (found === undefined) return undefined
    const row = userRow.parse(found)
    return {
      userId: row.user_id,
      userName: row.user_name,
      path: row.path,
      arn: userArn(this.#accountId, row.path, row.user_name),
      createdAt: new Date(row.created_at),
    }
  }
}

/** An id of the form that Amazon gives out: a prefix of 4 letters that says of what, then 16 of A-Z and 2-7. */
export function uniqueId(prefix: 'AIDA' | 'AKIA'): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  return prefix + Array.from({ length: 16 }, () => alphabet.charAt(randomInt(alphabet.length))).join('')
}
