import { randomBytes, randomUUID } from 'node:crypto'
import type { WrappingKeys } from '../wrapping-keys.ts'
import type { ImportTokens } from './import-tokens.ts'
import { withCancelledDeletion, withoutReplicas, withScheduledDeletion } from './keys/deletion.ts'
import {
  withMaterialAgain,
  withNewMaterial,
  withoutMaterial,
  withoutPendingMaterial,
} from './keys/imported-material.ts'
import type { Key } from './keys/key.ts'
import type { KeyRecord } from './keys/key-record.ts'
import type { KeyStore } from './keys/key-store.ts'
import { replicaOf, withPrimaryRegion } from './keys/multi-region.ts'
import {
  nextGeneration,
  rotatedTo,
  rotatedToPending,
  type Rotation,
  withNextRotation,
  withoutRotation,
  withRotation,
} from './keys/rotation.ts'
import { writeTexts } from './texts-column.ts'

export type { Key, KeyMaterial, KeyState } from './keys/key.ts'

/** What a new key is made of; what is left out is empty, or as Amazon makes it. */
export interface NewKey {
  readonly description: string
  readonly policy: string
  readonly policyPrincipals?: ReadonlyMap<string, string>
  readonly tags?: ReadonlyMap<string, string>
  readonly origin?: Key['origin'] | undefined
  readonly multiRegion?: boolean | undefined
}

/** Imported key material; its bytes are zeroed. */
export interface Import {
  readonly secret: Buffer
  readonly isNew: boolean
  readonly expiresAt: Date | undefined
  readonly description: string | undefined
  readonly at: Date
}

/** The master keys of one region. What changes a key changes its related multi-Region keys with it, where they share it. */
export class Keys {
  readonly #store: KeyStore
  readonly #region: string

  constructor(store: KeyStore, region: string) {
    this.#store = store
    this.#region = region
  }

  create(attributes: NewKey): Key {
    const isMultiRegion = attributes.multiRegion === true
    const keyId = isMultiRegion ? `mrk-${randomBytes(16).toString('hex')}` : randomUUID()
    const origin = attributes.origin ?? 'AWS_KMS'
    const now = Date.now()
    const empty: KeyRecord = {
      row: {
        region: this.#region,
        key_id: keyId,
        description: attributes.description,
        enabled: 1,
        policy: attributes.policy,
        policy_principals: writeTexts(attributes.policyPrincipals ?? new Map()),
        tags: writeTexts(attributes.tags ?? new Map()),
        origin,
        multi_region: isMultiRegion ? 'PRIMARY' : null,
        primary_region: isMultiRegion ? this.#region : null,
        deletion_date: null,
        pending_window_days: null,
        rotation_period_days: null,
        rotation_due: null,
        created_at: now,
      },
      materials: [],
    }
    const record = origin === 'EXTERNAL' ? empty : this.#withFirstMaterial(empty)
    this.#store.inTransaction(() => {
      this.#store.insert(record)
    })
    return this.#get(keyId)
  }

  /** What GetParametersForImport gave out, of all regions. */
  get importTokens(): ImportTokens {
    return this.#store.importTokens
  }

  get wrappingKeys(): WrappingKeys {
    return this.#store.wrappingKeys
  }

  get(keyId: string): Key | undefined {
    return this.#store.get({ region: this.#region, keyId })
  }

  /** Key ids in their order, from the first after `after`. */
  list(page: { after: string; limit: number }): string[] {
    return this.#store.records.list(this.#region, page)
  }

  /** Whether there is, or was, a key of this id here or in another region. */
  isKnown(keyId: string): boolean {
    return this.#store.records.isKnown(keyId)
  }

  setEnabled(key: Key, enabled: boolean): void {
    this.#setColumns(key, { enabled: enabled ? 1 : 0 })
  }

  setDescription(key: Key, description: string): void {
    this.#setColumns(key, { description })
  }

  /** All tags of the key; those that it had and that are not given are gone. */
  setTags(key: Key, tags: ReadonlyMap<string, string>): void {
    this.#setColumns(key, { tags: writeTexts(tags) })
  }

  setPolicy(key: Key, policy: string, principals: ReadonlyMap<string, string> = new Map()): void {
    this.#setColumns(key, { policy, policy_principals: writeTexts(principals) })
  }

  /** The key as it is then. */
  scheduleDeletion(key: Key, days: number, now: Date): Key {
    const waitsForReplicas = key.multiRegion?.type === 'PRIMARY' && this.relatedRegions(key).length > 1
    this.#change(key, (record) =>
      withScheduledDeletion(record, { days, now: now.getTime(), waitsForReplicas }),
    )
    return this.#get(key.keyId)
  }

  cancelDeletion(key: Key): void {
    this.#change(key, withCancelledDeletion)
  }

  /** Removes the key for good, with its aliases and grants, if that is still due at `now`. */
  delete(keyId: string, now: Date): boolean {
    const name = { region: this.#region, keyId }
    return this.#store.inTransaction(() => {
      const record = this.#store.records.read(this.#region, keyId)
      const date = record?.row.deletion_date
      if (record?.isRight !== true || date === null || date === undefined || date > now.getTime())
        return false
      this.#store.delete(name, now.getTime())
      const [last, ...more] = this.#store.records.readRelated(keyId)
      if (last?.row.multi_region === 'PRIMARY' && more.length === 0 && last.isRight) {
        this.#store.change({ region: last.row.region, keyId }, (left) => withoutReplicas(left, now.getTime()))
      }
      return true
    })
  }

  enableRotation(key: Key, periodDays: number, now: Date): void {
    this.#changeRelated(key, (record) => withRotation(record, periodDays, now.getTime()))
  }

  disableRotation(key: Key): void {
    this.#changeRelated(key, withoutRotation)
  }

  /** A new backing key, or the imported one that is pending, encrypts from now on, in all related keys. */
  rotate(key: Key, rotation: Rotation): Key {
    const scheduled = (record: KeyRecord): KeyRecord =>
      rotation.type === 'AUTOMATIC' ? withNextRotation(record, rotation.at) : record
    if (key.origin === 'EXTERNAL') {
      this.#changeRelated(key, (record) => rotatedToPending(record, rotation))
    } else {
      const next = this.#newMaterial(key.keyId, nextGeneration(this.#record(key)))
      this.#changeRelated(key, (record) => scheduled(rotatedTo(record, next, rotation)))
    }
    return this.#get(key.keyId)
  }

  /** See `KeyStore.idOfImported`. */
  idOfImported(key: Key, secret: Buffer): string {
    return this.#store.idOfImported(key.keyId, secret)
  }

  /** Imports key material: that is new to the key and its related keys, or that it knows. */
  importMaterial(key: Key, { secret, isNew, ...imported }: Import): string {
    const id = this.idOfImported(key, secret)
    const record = this.#record(key)
    const known = record.materials.find((row) => row.backing_key_id === id)
    const generation = known?.generation ?? nextGeneration(record)
    const material = {
      id,
      generation,
      sealed: this.#store.sealMaterial(key.keyId, { id, generation }, secret),
      expiresAt: imported.expiresAt?.getTime(),
      description: imported.description,
    }
    const now = imported.at.getTime()
    if (!isNew) this.#change(key, (before) => withMaterialAgain(before, material, now))
    else {
      const elsewhere = { ...material, sealed: undefined, expiresAt: undefined }
      this.#changeRelated(key, (before) =>
        withNewMaterial(before, before.row.region === this.#region ? material : elsewhere, now),
      )
    }
    return id
  }

  /** Removes the bytes of imported key material; `scrub` comes next. */
  deleteMaterial(key: Key, id: string): void {
    const wasPending = key.materials.some((one) => one.id === id && one.state === 'PENDING_ROTATION')
    if (!wasPending || key.multiRegion?.type !== 'PRIMARY') {
      this.#change(key, (record) => withoutMaterial(record, id))
      return
    }
    this.#changeRelated(key, (record) =>
      record.row.region === this.#region ? withoutMaterial(record, id) : withoutPendingMaterial(record),
    )
  }

  /** See `KeyStore.scrub`. */
  scrub(): void {
    this.#store.scrub()
  }

  /** The key as it is in another region from now on. */
  replicate(key: Key, region: string, attributes: NewKey): Key {
    const replica = replicaOf(this.#record(key), {
      region,
      description: attributes.description,
      policy: attributes.policy,
      policyPrincipals: writeTexts(attributes.policyPrincipals ?? new Map()),
      tags: writeTexts(attributes.tags ?? new Map()),
      now: Date.now(),
    })
    this.#store.inTransaction(() => {
      this.#store.insert(replica)
    })
    return this.#store.get({ region, keyId: key.keyId }) ?? fail(key.keyId)
  }

  setPrimaryRegion(key: Key, region: string): void {
    this.#changeRelated(key, (record) => withPrimaryRegion(record, region))
  }

  /** The regions that have a key of this id, in the order of their names; also those that are not served. */
  relatedRegions(key: Key): string[] {
    return this.#store.records.regionsOf(key.keyId)
  }

  /** The related keys that have not yet got all key material that this one has: they are to import it. */
  regionsWithoutMaterial(key: Key, materialId: string): string[] {
    return this.#store.records
      .readRelated(key.keyId)
      .filter(
        ({ materials }) =>
          !materials.some((row) => row.backing_key_id === materialId && row.sealed_secret !== null),
      )
      .map(({ row }) => row.region)
  }

  zero(): void {
    this.#store.zero()
  }

  #get(keyId: string): Key {
    return this.get(keyId) ?? fail(keyId)
  }

  #record(key: Key): KeyRecord {
    return this.#store.records.read(this.#region, key.keyId) ?? fail(key.keyId)
  }

  #setColumns(key: Key, columns: Partial<KeyRecord['row']>): void {
    this.#change(key, ({ row, materials }) => ({ row: { ...row, ...columns }, materials }))
  }

  #change(key: Key, apply: (record: KeyRecord) => KeyRecord): void {
    this.#store.inTransaction(() => {
      this.#store.change({ region: this.#region, keyId: key.keyId }, apply)
    })
  }

  /** All or none of the related keys; only those that somebody altered, and that are unavailable, stay as they are. */
  #changeRelated(key: Key, apply: (record: KeyRecord) => KeyRecord): void {
    this.#store.inTransaction(() => {
      for (const { row, isRight } of this.#store.records.readRelated(key.keyId)) {
        if (isRight || row.region === this.#region) {
          this.#store.change({ region: row.region, keyId: key.keyId }, apply)
        }
      }
    })
  }

  #withFirstMaterial({ row }: KeyRecord): KeyRecord {
    const { id, generation, sealed } = this.#newMaterial(row.key_id, 1)
    return {
      row,
      materials: [
        {
          backing_key_id: id,
          generation,
          sealed_secret: sealed,
          state: 'CURRENT',
          rotation_type: null,
          rotated_at: null,
          description: null,
          expires_at: null,
          created_at: row.created_at,
        },
      ],
    }
  }

  #newMaterial(keyId: string, generation: number): { id: string; generation: number; sealed: Buffer } {
    const id = randomBytes(32).toString('hex')
    return {
      id,
      generation,
      sealed: this.#store.sealMaterial(keyId, { id, generation }, randomBytes(32)),
    }
  }
}

function fail(keyId: string): never {
  throw new Error(`the key ${keyId} is gone`)
}
