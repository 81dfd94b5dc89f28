import { randomBytes } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import type { Logger } from 'pino'
import { z } from 'zod'
import { rootUserArn } from '../arn.ts'
import type { ApplicableGrant, GrantConstraints } from '../policy/grant.ts'
import type { Principal } from '../principal.ts'
import type { RootKey } from '../seal/root-key.ts'
import { isUnreadable } from './unreadable.ts'

/** What somebody may do with a key because of a grant. */
export interface Grant extends ApplicableGrant {
  /** 64 hexadecimal digits. */
  readonly grantId: string
  readonly keyId: string
  readonly name: string | undefined
  readonly retiringPrincipal: string | undefined
  /** As `granteeId`. */
  readonly retiringId: string | undefined
  readonly createdAt: Date
}

const pairsColumn = z.array(z.tuple([z.string(), z.string()]))
const constraintsColumn = z.object({ equals: pairsColumn.optional(), subset: pairsColumn.optional() })
const grantRow = z.object({
  grant_id: z.string(),
  key_id: z.string(),
  name: z.string().nullable(),
  grantee_principal: z.string(),
  grantee_id: z.string(),
  retiring_principal: z.string().nullable(),
  retiring_id: z.string().nullable(),
  operations: z.string(),
  constraints: z.string().nullable(),
  created_at: z.number(),
  tag: z.instanceof(Uint8Array),
})
const operationsColumn = z.array(z.string())
const countRow = z.object({ key_id: z.string(), grants: z.number() })

/* In bytes. */
const grantIdLength = 32
const tokenNonceLength = 16
const tokenLength = tokenNonceLength + grantIdLength + 32

/** How many grants are kept in memory; that somebody has none counts as one. */
const mostInMemory = 100_000

export interface GrantsOptions {
  readonly region: string
  readonly log: Logger
  readonly mostInMemory?: number
}

const none: readonly Grant[] = []

/**
 * The grants of the keys of one region. In memory is how many each key has, and the grants to those who asked for the
 * key: the rest is found when it is asked for.
 */
export class Grants {
  readonly #database: DatabaseSync
  readonly #rootKey: RootKey
  readonly #region: string
  readonly #log: Logger
  readonly #capacity: number
  /** Of keys that have grants. */
  readonly #counts = new Map<string, number>()
  /** By key id and by who they are for. */
  readonly #toPrincipals = new Map<string, Map<string, readonly Grant[]>>()
  #inMemory = 0

  constructor(database: DatabaseSync, rootKey: RootKey, options: GrantsOptions) {
    this.#database = database
    this.#rootKey = rootKey
    this.#region = options.region
    this.#log = options.log
    this.#capacity = options.mostInMemory ?? mostInMemory
    const counts = database.prepare(
      'SELECT key_id, count(*) AS grants FROM grants WHERE region = ? GROUP BY key_id',
    )
    for (const found of counts.iterate(this.#region)) {
      const row = countRow.parse(found)
      this.#counts.set(row.key_id, row.grants)
    }
  }

  /** Those of the key's grants that are for this principal, for the role whose session it is, or for the account. */
  applicable(key: { readonly keyId: string }, principal: Principal): readonly Grant[] {
    if (!this.#counts.has(key.keyId)) return none
    return grantees(principal).flatMap(({ id, arn }) =>
      this.#to(id, key.keyId).map((grant) => named(grant, arn)),
    )
  }

  count(keyId: string): number {
    return this.#counts.get(keyId) ?? 0
  }

  /** How many of the key's grants are for one principal, by its id, or the ARN of the root user. */
  countTo(principalId: string, keyId: string): number {
    const found = this.#database
      .prepare(
        'SELECT count(*) AS grants, ?2 AS key_id FROM grants WHERE region = ?1 AND key_id = ?2 AND grantee_id = ?3',
      )
      .get(this.#region, keyId, principalId)
    return countRow.parse(found).grants
  }

  create(attributes: Omit<Grant, 'grantId' | 'createdAt'>): Grant {
    const grant = {
      ...attributes,
      grantId: randomBytes(grantIdLength).toString('hex'),
      createdAt: new Date(),
    }
    this.#database
      .prepare(
        'INSERT INTO grants (grant_id, key_id, name, grantee_principal, grantee_id, retiring_principal, retiring_id, ' +
          'operations, constraints, created_at, region, tag) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      )
      .run(...columns(grant), this.#region, this.#tag(grant))
    this.#counts.set(grant.keyId, this.count(grant.keyId) + 1)
    this.#replace(grant, (known) => [...known, grant])
    return grant
  }

  /** From then on it allows nothing. */
  delete(grant: Grant): void {
    const { grantId, keyId } = grant
    const { changes } = this.#database
      .prepare('DELETE FROM grants WHERE region = ? AND grant_id = ?')
      .run(this.#region, grantId)
    const left = this.count(keyId) - Number(changes)
    if (left > 0) this.#counts.set(keyId, left)
    else this.#counts.delete(keyId)
    this.#replace(grant, (known) => known.filter((one) => one.grantId !== grantId))
  }

  /** For when a key is gone, with its rows of the table. */
  forgetKey(keyId: string): void {
    this.#counts.delete(keyId)
    this.#forgetGrantsOf(keyId)
  }

  get(grantId: string): Grant | undefined {
    const found = this.#database
      .prepare('SELECT * FROM grants WHERE region = ? AND grant_id = ?')
      .get(this.#region, grantId)
    return found === undefined ? undefined : this.#read(found)[0]
  }

  /**
   * Another token of a grant each time. It is made, not stored: a random number, the grant's id, and a tag over both
   * that only who has the root key can make.
   */
  newToken(grantId: string): string {
    const content = Buffer.concat([randomBytes(tokenNonceLength), Buffer.from(grantId, 'hex')])
    return Buffer.concat([content, this.#rootKey.tag(this.#tokensOwner, content)]).toString('base64')
  }

  /** The grant that the token was made for, which may be gone; undefined when it is no token of this region. */
  grantIdOfToken(token: string): string | undefined {
    const bytes = Buffer.from(token, 'base64')
    if (bytes.length !== tokenLength || bytes.toString('base64') !== token) return undefined
    const content = bytes.subarray(0, tokenNonceLength + grantIdLength)
    const tag = bytes.subarray(content.length)
    if (!this.#rootKey.isTag(tag, this.#tokensOwner, content)) return undefined
    return content.subarray(tokenNonceLength).toString('hex')
  }

  /** In the order of their ids, from the first after `after`. */
  ofKey(keyId: string, after: string): IterableIterator<Grant> {
    return this.#iterate(
      this.#database
        .prepare('SELECT * FROM grants WHERE region = ? AND key_id = ? AND grant_id > ? ORDER BY grant_id')
        .iterate(this.#region, keyId, after),
    )
  }

  /** As `ofKey`, of those for one principal, by its id, or the ARN of the root user. */
  ofGrantee(keyId: string, principalId: string, after: string): IterableIterator<Grant> {
    return this.#iterate(
      this.#database
        .prepare(
          'SELECT * FROM grants WHERE region = ? AND key_id = ? AND grantee_id = ? AND grant_id > ? ORDER BY grant_id',
        )
        .iterate(this.#region, keyId, principalId, after),
    )
  }

  /** As `ofKey`, but of all keys, and of those that one principal may retire. */
  retirableBy(principalId: string, after: string): IterableIterator<Grant> {
    return this.#iterate(
      this.#database
        .prepare(
          'SELECT * FROM grants WHERE region = ? AND retiring_id = ? AND grant_id > ? ORDER BY grant_id',
        )
        .iterate(this.#region, principalId, after),
    )
  }

  /** Of that name and for that principal, by its id, or the ARN of the root user. */
  named(keyId: string, name: string, principalId: string): Grant[] {
    return this.#database
      .prepare('SELECT * FROM grants WHERE region = ? AND key_id = ? AND name = ? AND grantee_id = ?')
      .all(this.#region, keyId, name, principalId)
      .flatMap((found) => this.#read(found))
  }

  #to(principalId: string, keyId: string): readonly Grant[] {
    const known = this.#toPrincipals.get(keyId)?.get(principalId)
    if (known !== undefined) return known
    const grants = this.#database
      .prepare('SELECT * FROM grants WHERE region = ? AND key_id = ? AND grantee_id = ?')
      .all(this.#region, keyId, principalId)
      .flatMap((found) => this.#read(found))
    this.#keep(principalId, keyId, grants)
    return grants
  }

  #keep(principalId: string, keyId: string, grants: readonly Grant[]): void {
    this.#inMemory += 1 + grants.length
    if (this.#inMemory > this.#capacity) {
      this.#toPrincipals.clear()
      this.#inMemory = 1 + grants.length
    }
    const toPrincipals = this.#toPrincipals.get(keyId)
    if (toPrincipals === undefined) this.#toPrincipals.set(keyId, new Map([[principalId, grants]]))
    else toPrincipals.set(principalId, grants)
  }

  /** In memory, where they are: whoever has many grants need not be read anew for each that comes or goes. */
  #replace({ keyId, ...grant }: Grant, change: (known: readonly Grant[]) => readonly Grant[]): void {
    const principalId = grant.granteeId ?? grant.granteePrincipal
    const toPrincipals = this.#toPrincipals.get(keyId)
    const known = toPrincipals?.get(principalId)
    if (known === undefined) return
    toPrincipals?.delete(principalId)
    this.#inMemory -= 1 + known.length
    this.#keep(principalId, keyId, change(known))
  }

  #forgetGrantsOf(keyId: string): void {
    for (const grants of this.#toPrincipals.get(keyId)?.values() ?? []) this.#inMemory -= 1 + grants.length
    this.#toPrincipals.delete(keyId)
  }

  *#iterate(rows: Iterable<unknown>): IterableIterator<Grant> {
    for (const row of rows) yield* this.#read(row)
  }

  /** None when the row is not as this service wrote it: such a grant allows nothing. */
  #read(found: unknown): Grant[] {
    const row = grantRow.parse(found)
    const grant = readGrant(row)
    if (grant !== undefined && this.#rootKey.isTag(row.tag, this.#owner(grant), content(grant)))
      return [grant]
    this.#log.error(
      { keyId: row.key_id, grantId: row.grant_id },
      'a stored grant was altered, so it allows nothing',
    )
    return []
  }

  #tag(grant: Grant): Buffer {
    return this.#rootKey.tag(this.#owner(grant), content(grant))
  }

  get #tokensOwner(): string {
    return `grant tokens of ${this.#region}`
  }

  #owner({ grantId }: Grant): string {
    return `grant ${grantId} in ${this.#region}`
  }
}

/** Undefined when what the row holds is not what any release wrote. */
function readGrant(row: z.infer<typeof grantRow>): Grant | undefined {
  try {
    return {
      grantId: row.grant_id,
      keyId: row.key_id,
      name: row.name ?? undefined,
      granteePrincipal: row.grantee_principal,
      granteeId: idOtherThanArn(row.grantee_id, row.grantee_principal),
      retiringPrincipal: row.retiring_principal ?? undefined,
      retiringId: idOtherThanArn(row.retiring_id, row.retiring_principal),
      operations: operationsColumn.parse(JSON.parse(row.operations)),
      constraints: row.constraints === null ? undefined : readConstraints(row.constraints),
      createdAt: new Date(row.created_at),
    }
  } catch (error) {
    if (isUnreadable(error)) return undefined
    throw error
  }
}

/** As whom a principal gets grants, with the ARN of today. */
function grantees(principal: Principal): { id: string; arn: string }[] {
  const root = rootUserArn(principal.accountId)
  const account = { id: root, arn: root }
  if (principal.type === 'WebIdentityUser') return []
  if (principal.type === 'Root') return [account]
  const itself = { id: principal.principalId, arn: principal.arn }
  if (principal.type === 'IAMUser') return [itself, account]
  return [itself, { id: principal.role.roleId, arn: principal.role.arn }, account]
}

/** A user who was renamed keeps the grants. */
function named(grant: Grant, granteePrincipal: string): Grant {
  return grant.granteePrincipal === granteePrincipal ? grant : { ...grant, granteePrincipal }
}

function columns(grant: Grant) {
  return [
    grant.grantId,
    grant.keyId,
    grant.name ?? null,
    grant.granteePrincipal,
    grant.granteeId ?? grant.granteePrincipal,
    grant.retiringPrincipal ?? null,
    grant.retiringId ?? grant.retiringPrincipal ?? null,
    JSON.stringify(grant.operations),
    grant.constraints === undefined ? null : writeConstraints(grant.constraints),
    grant.createdAt.getTime(),
  ] as const
}

function content(grant: Grant): Buffer {
  return Buffer.from(JSON.stringify(columns(grant)))
}

function idOtherThanArn(id: string | null, arn: string | null): string | undefined {
  return id === null || id === arn ? undefined : id
}

/** Pairs as lists: an object would lose one named `__proto__`. */
function writeConstraints({ encryptionContextEquals, encryptionContextSubset }: GrantConstraints): string {
  return JSON.stringify({
    equals: encryptionContextEquals && [...encryptionContextEquals],
    subset: encryptionContextSubset && [...encryptionContextSubset],
  })
}

function readConstraints(column: string): GrantConstraints {
  const { equals, subset } = constraintsColumn.parse(JSON.parse(column))
  return {
    encryptionContextEquals: equals && new Map(equals),
    encryptionContextSubset: subset && new Map(subset),
  }
}
