import { spawnSync } from 'node:child_process'
import type { Tree } from './tree.ts'

/** Users and groups of a tree by their names; of this machine from every source that it has. */
export class Accounts {
  readonly #tree: Tree

  constructor(tree: Tree) {
    this.#tree = tree
  }

  /** undefined: there is none of that name. */
  userId(name: string): number | undefined {
    return idIn(this.#entry('passwd', name))
  }

  groupId(name: string): number | undefined {
    return idIn(this.#entry('group', name))
  }

  /** Of a user; undefined: there is no such user. */
  primaryGroup(user: string): string | undefined {
    const id = this.#entry('passwd', user)?.[3]
    return id === undefined ? undefined : this.groupName(Number(id))
  }

  /** The name, else the number as text. */
  userName(id: number): string {
    return this.#entry('passwd', id)?.[0] ?? String(id)
  }

  groupName(id: number): string {
    return this.#entry('group', id)?.[0] ?? String(id)
  }

  /** The fields of the user's or group's line. */
  #entry(database: 'passwd' | 'group', key: string | number): string[] | undefined {
    const field = typeof key === 'string' ? 0 : 2
    return this.#lines(database, key)
      .map((line) => line.split(':'))
      .find((fields) => fields[field] === String(key))
  }

  #lines(database: 'passwd' | 'group', key: string | number): string[] {
    if (!this.#tree.isOurs) return (this.#tree.read(`/etc/${database}`)?.toString() ?? '').split('\n')
    return spawnSync('getent', [database, '--', String(key)], { encoding: 'utf8' }).stdout.split('\n')
  }
}

function idIn(entry: readonly string[] | undefined): number | undefined {
  const id = entry?.[2]
  return id !== undefined && /^\d+$/.test(id) ? Number(id) : undefined
}
