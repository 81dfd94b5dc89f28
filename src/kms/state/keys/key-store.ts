import type { DatabaseSync } from 'node:sqlite'
import type { Logger } from 'pino'
import { keyArn, rootUserArn } from '../../arn.ts'
import { BackingKey } from '../../backing-key.ts'
import type { Clock } from '../../clock.ts'
import { bindPrincipals } from '../../policy/bound-principals.ts'
import { defaultKeyPolicy, parseKeyPolicy, parseStoredKeyPolicy } from '../../policy/document.ts'
import type { RootKey } from '../../seal/root-key.ts'
import { WrappingKeys } from '../../wrapping-keys.ts'
import { inTransaction } from '../database.ts'
import { ImportTokens } from '../import-tokens.ts'
import { isComplete, isPresent } from './imported-material.ts'
import type { Key, KeyMaterial, KeyName, KeyState } from './key.ts'
import type { KeyRecord, KeyRow, MaterialRow } from './key-record.ts'
import { KeyRecords, type ReadRecord } from './key-records.ts'
import { readTexts } from '../texts-column.ts'

/** How many keys stay unsealed: 10,000 take some 40 MB. */
const mostUnsealed = 10_000

export interface KeyStoreParts {
  readonly database: DatabaseSync
  readonly rootKey: RootKey
  readonly accountId: string
  readonly clock: Clock
  readonly log: Logger
}

/** The master keys of all regions. A key that is used stays unsealed in memory; the database is written first, always. */
export class KeyStore {
  readonly records: KeyRecords
  readonly importTokens: ImportTokens
  readonly wrappingKeys: WrappingKeys
  readonly #parts: KeyStoreParts
  readonly #capacity: number
  /** By region and key id; the one that was used last comes last. */
  readonly #unsealed = new Map<string, Unsealed>()
  readonly #beingDeleted = new Set<string>()
  readonly #logged = new Set<string>()

  constructor(parts: KeyStoreParts, capacity = mostUnsealed) {
    this.records = new KeyRecords(parts.database, parts.rootKey)
    this.importTokens = new ImportTokens(parts.database, parts.rootKey)
    this.wrappingKeys = new WrappingKeys(parts.log)
    this.#parts = parts
    this.#capacity = capacity
  }

  get(name: KeyName): Key | undefined {
    const cacheKey = cacheKeyOf(name)
    const held = this.#unsealed.get(cacheKey)
    if (held === undefined || this.#isOver(held)) return this.#load(name)
    this.#unsealed.delete(cacheKey)
    this.#unsealed.set(cacheKey, held)
    return held.key
  }

  /** Runs `work` in one transaction. */
  inTransaction<T>(work: () => T): T {
    try {
      return inTransaction(this.#parts.database, work)
    } catch (error) {
      // Something that does not stay may have been read meanwhile.
      this.zero()
      throw error
    }
  }

  insert(record: KeyRecord): void {
    this.records.insert(record)
    this.forget({ region: record.row.region, keyId: record.row.key_id })
  }

  /**
   * Changes a key, in the transaction that is open, or else in one of its own. Throws when the row was altered: a new
   * tag would make it right. The operations refuse such keys before, since their state is Unavailable.
   */
  change(name: KeyName, apply: (record: KeyRecord) => KeyRecord): void {
    const before = this.records.read(name.region, name.keyId)
    if (before === undefined) throw new Error(`the key ${name.keyId} is gone`)
    if (!before.isRight) throw new Error(`the row of the key ${name.keyId} was altered`)
    this.records.replace(before, apply(before))
    this.forget(name)
  }

  /** Removes a key in the transaction that is open. */
  delete(name: KeyName, deletedAt: number): void {
    this.records.delete(name.region, name.keyId, deletedAt)
    this.forget(name)
  }

  /** While this is set the key is as good as gone: what was recorded as a deletion can't be cancelled any more. */
  setBeingDeleted(name: KeyName, isBeingDeleted: boolean): void {
    if (isBeingDeleted) this.#beingDeleted.add(cacheKeyOf(name))
    else this.#beingDeleted.delete(cacheKeyOf(name))
    this.forget(name)
  }

  /** Seals the secret of a key's material and zeroes it. */
  sealMaterial(keyId: string, material: { id: string; generation: number }, secret: Buffer): Buffer {
    try {
      return this.#parts.rootKey.seal(secret, belongsTo(keyId, material.id, material.generation))
    } finally {
      secret.fill(0)
    }
  }

  /**
   * The id of imported key material: it is the same for the same bytes in the same key, and tells nothing of them to
   * who has not the root key.
   */
  idOfImported(keyId: string, secret: Buffer): string {
    return this.#parts.rootKey.tag(`imported key material of key ${keyId}`, secret).toString('hex')
  }

  /** Brings what was removed out of the write-ahead log too; in the database it was overwritten (`secure_delete`). */
  scrub(): void {
    this.#parts.database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  }

  /** Drops what is held in memory of a key. */
  forget(name: KeyName): void {
    const cacheKey = cacheKeyOf(name)
    const held = this.#unsealed.get(cacheKey)
    if (held === undefined) return
    this.#unsealed.delete(cacheKey)
    zeroAll(held.key)
  }

  zero(): void {
    for (const { key } of this.#unsealed.values()) zeroAll(key)
    this.#unsealed.clear()
  }

  #isOver({ until }: Unsealed): boolean {
    return until !== undefined && until <= this.#parts.clock.now().getTime()
  }

  #load(name: KeyName): Key | undefined {
    this.forget(name)
    const cacheKey = cacheKeyOf(name)
    if (this.#beingDeleted.has(cacheKey)) return undefined
    const record = this.records.read(name.region, name.keyId)
    if (record === undefined) return undefined
    const unsealed = this.#unseal(record)
    this.#unsealed.set(cacheKey, unsealed)
    this.#dropOldest()
    return unsealed.key
  }

  #dropOldest(): void {
    if (this.#unsealed.size <= this.#capacity) return
    for (const [cacheKey, { key }] of this.#unsealed) {
      this.#unsealed.delete(cacheKey)
      zeroAll(key)
      return
    }
  }

  #unseal(record: ReadRecord): Unsealed {
    const { row, materials } = record
    const now = this.#parts.clock.now().getTime()
    const present = materials.filter((material) => isPresent(material, now))
    const { backingKeys, isWhole } = this.#backingKeys(record, record.isRight ? present : [])
    const current = materials.find(({ state }) => state === 'CURRENT')
    const state = stateOf(row, {
      isRight: record.isRight,
      isWhole,
      isComplete: isComplete(materials, now),
    })
    const key: Key = {
      ...this.#attributes(record),
      state,
      deletionDate: row.deletion_date === null ? undefined : new Date(row.deletion_date),
      pendingWindowDays: row.pending_window_days ?? undefined,
      rotation:
        row.rotation_period_days === null || row.rotation_due === null
          ? undefined
          : { periodDays: row.rotation_period_days, nextDate: new Date(row.rotation_due) },
      materials: materials.map((material) => keyMaterial(material, present.includes(material))),
      currentMaterialId: current?.backing_key_id,
      currentBackingKey: current && backingKeys.get(current.backing_key_id),
      backingKeys,
    }
    const ends = present.flatMap((material) => material.expires_at ?? [])
    return { key, until: ends.length === 0 ? undefined : Math.min(...ends) }
  }

  /** Of an altered row nothing is believed that gives rights: only the account itself decides about the key. */
  #attributes({ row, isRight }: ReadRecord): Attributes {
    const { accountId, log } = this.#parts
    const keyId = row.key_id
    if (!isRight) {
      this.#logOnce(row, 'its row in the database was altered, or was written with another root key')
    }
    return {
      keyId,
      arn: keyArn({ accountId, region: row.region }, keyId),
      region: row.region,
      description: row.description,
      createdAt: new Date(row.created_at),
      origin: row.origin,
      multiRegion:
        row.multi_region === null
          ? undefined
          : { type: row.multi_region, primaryRegion: row.primary_region ?? row.region },
      policy: row.policy,
      ...(isRight
        ? {
            tags: readTexts(row.tags),
            policyPrincipals: readTexts(row.policy_principals),
            policyDocument: bindPrincipals(
              parseStoredKeyPolicy(row.policy, (why) => {
                log.error({ keyId, why }, 'the stored policy of a key cannot be read, so it allows nothing')
              }),
              readTexts(row.policy_principals),
            ),
          }
        : {
            tags: new Map<string, string>(),
            policyPrincipals: new Map<string, string>(),
            policyDocument: parseKeyPolicy(defaultKeyPolicy(rootUserArn(accountId))),
          }),
    }
  }

  #backingKeys(
    { row }: KeyRecord,
    materials: readonly MaterialRow[],
  ): { backingKeys: Map<string, BackingKey>; isWhole: boolean } {
    const backingKeys = new Map<string, BackingKey>()
    let isWhole = true
    for (const { backing_key_id: id, generation, state, sealed_secret: sealed } of materials) {
      if (sealed === null || state === 'PENDING_ROTATION') continue
      const secret = this.#parts.rootKey.unseal(sealed, belongsTo(row.key_id, id, generation))
      if (secret === undefined) {
        isWhole = false
        this.#logOnce(row, `its backing key ${id} cannot be opened: it was altered or damaged`)
      } else backingKeys.set(id, new BackingKey(id, secret))
    }
    return { backingKeys, isWhole }
  }

  #logOnce({ region, key_id: keyId }: KeyRow, why: string): void {
    const line = `${region} ${keyId} ${why}`
    if (this.#logged.has(line)) return
    this.#logged.add(line)
    this.#parts.log.error(
      { region, keyId, why },
      'a key is unavailable: bring database and root key back from the same backup',
    )
  }
}

interface Unsealed {
  readonly key: Key
  /** When key material expires, so that the key has to be read anew. */
  readonly until: number | undefined
}

type Attributes = Pick<
  Key,
  | 'keyId'
  | 'arn'
  | 'region'
  | 'description'
  | 'createdAt'
  | 'origin'
  | 'multiRegion'
  | 'policy'
  | 'tags'
  | 'policyPrincipals'
  | 'policyDocument'
>

/** A key that waits for its deletion is shown as such whatever else is wrong, so that the deletion can be cancelled. */
function stateOf(row: KeyRow, has: { isRight: boolean; isWhole: boolean; isComplete: boolean }): KeyState {
  if (!has.isRight) return 'Unavailable'
  if (row.deletion_date !== null) return 'PendingDeletion'
  if (row.pending_window_days !== null) return 'PendingReplicaDeletion'
  if (!has.isWhole) return 'Unavailable'
  if (!has.isComplete) return row.origin === 'EXTERNAL' ? 'PendingImport' : 'Unavailable'
  return row.enabled === 1 ? 'Enabled' : 'Disabled'
}

function keyMaterial(row: MaterialRow, isPresent: boolean): KeyMaterial {
  return {
    id: row.backing_key_id,
    state: row.state,
    rotation:
      row.rotation_type === null || row.rotated_at === null
        ? undefined
        : { type: row.rotation_type, date: new Date(row.rotated_at) },
    description: row.description ?? undefined,
    expiresAt: row.expires_at === null ? undefined : new Date(row.expires_at),
    isPresent,
  }
}

/** The generation is in it: it decides which backing key encrypts, so an old one must not be made the newest. */
export function belongsTo(keyId: string, backingKeyId: string, generation: number): string {
  return `backing key ${backingKeyId}, generation ${generation} of key ${keyId}`
}

function zeroAll(key: Key): void {
  for (const backingKey of key.backingKeys.values()) backingKey.zero()
}

function cacheKeyOf({ region, keyId }: KeyName): string {
  return `${region} ${keyId}`
}
