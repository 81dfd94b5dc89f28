import type { KeyRecord, MaterialRow } from './key-record.ts'

const day = 86_400_000

/** How and when a key is rotated. */
export interface Rotation {
  readonly type: 'AUTOMATIC' | 'ON_DEMAND'
  readonly at: number
}

/** The generation of the key material that comes next. */
export function nextGeneration({ materials }: KeyRecord): number {
  return Math.max(0, ...materials.map(({ generation }) => generation)) + 1
}

/** A new backing key encrypts from now on; the older ones go on decrypting. */
export function rotatedTo(
  record: KeyRecord,
  next: { readonly id: string; readonly generation: number; readonly sealed: Uint8Array },
  { type, at }: Rotation,
): KeyRecord {
  const material: MaterialRow = {
    backing_key_id: next.id,
    generation: next.generation,
    sealed_secret: next.sealed,
    state: 'CURRENT',
    rotation_type: type,
    rotated_at: at,
    description: null,
    expires_at: null,
    created_at: at,
  }
  return { row: record.row, materials: [...retired(record.materials), material] }
}

/** The imported key material that is pending rotation encrypts from now on. */
export function rotatedToPending(record: KeyRecord, { type, at }: Rotation): KeyRecord {
  const materials = record.materials.map((material): MaterialRow =>
    material.state === 'PENDING_ROTATION'
      ? { ...material, state: 'CURRENT', rotation_type: type, rotated_at: at }
      : retiredOne(material),
  )
  return { row: record.row, materials }
}

/** Turns automatic rotation on, or changes its period: the next rotation is a period from now. */
export function withRotation(record: KeyRecord, periodDays: number, now: number): KeyRecord {
  const row = { ...record.row, rotation_period_days: periodDays, rotation_due: now + periodDays * day }
  return { row, materials: record.materials }
}

export function withoutRotation(record: KeyRecord): KeyRecord {
  return {
    row: { ...record.row, rotation_period_days: null, rotation_due: null },
    materials: record.materials,
  }
}

/** After an automatic rotation. However late it was, the next one is a whole period away. */
export function withNextRotation(record: KeyRecord, now: number): KeyRecord {
  const { rotation_period_days: period } = record.row
  return period === null ? record : withRotation(record, period, now)
}

function retired(materials: readonly MaterialRow[]): MaterialRow[] {
  return materials.map(retiredOne)
}

function retiredOne(material: MaterialRow): MaterialRow {
  return material.state === 'CURRENT' ? { ...material, state: 'NON_CURRENT' } : material
}
