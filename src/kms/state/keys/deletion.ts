import type { KeyRecord } from './key-record.ts'

const day = 86_400_000

/** A primary key with replicas waits for their deletion first; only then does its window begin. */
export function withScheduledDeletion(
  { row, materials }: KeyRecord,
  window: { readonly days: number; readonly now: number; readonly waitsForReplicas: boolean },
): KeyRecord {
  const dates = window.waitsForReplicas
    ? { pending_window_days: window.days, deletion_date: null }
    : { pending_window_days: null, deletion_date: window.now + window.days * day }
  return { row: { ...row, ...dates }, materials }
}

/** The key is Disabled then, whatever it was before. */
export function withCancelledDeletion({ row, materials }: KeyRecord): KeyRecord {
  return { row: { ...row, pending_window_days: null, deletion_date: null, enabled: 0 }, materials }
}

/** The last replica of a primary key was deleted. */
export function withoutReplicas(record: KeyRecord, now: number): KeyRecord {
  const { pending_window_days: days } = record.row
  return days === null ? record : withScheduledDeletion(record, { days, now, waitsForReplicas: false })
}
