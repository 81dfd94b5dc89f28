import { z } from 'zod'

/** Milliseconds since 1970, within what a `Date` can be. */
const time = z.number().min(-8.64e15).max(8.64e15)

/** The row of a master key, without what says when it was last used. */
const keyRowSchema = z.object({
  region: z.string(),
  key_id: z.string(),
  description: z.string(),
  enabled: z.number(),
  policy: z.string(),
  policy_principals: z.string(),
  tags: z.string(),
  origin: z.enum(['AWS_KMS', 'EXTERNAL']),
  multi_region: z.enum(['PRIMARY', 'REPLICA']).nullable(),
  primary_region: z.string().nullable(),
  deletion_date: time.nullable(),
  pending_window_days: z.number().nullable(),
  rotation_period_days: z.number().nullable(),
  rotation_due: time.nullable(),
  created_at: time,
})
const stateTag = z.object({ state_tag: z.instanceof(Uint8Array).nullable() })

const materialRowSchema = z.object({
  backing_key_id: z.string(),
  generation: z.number(),
  sealed_secret: z.instanceof(Uint8Array).nullable(),
  state: z.enum(['CURRENT', 'NON_CURRENT', 'PENDING_ROTATION']),
  rotation_type: z.enum(['AUTOMATIC', 'ON_DEMAND']).nullable(),
  rotated_at: time.nullable(),
  description: z.string().nullable(),
  expires_at: time.nullable(),
  created_at: time,
})

export type KeyRow = Readonly<z.infer<typeof keyRowSchema>>
export type MaterialRow = Readonly<
  Omit<z.infer<typeof materialRowSchema>, 'sealed_secret'> & { sealed_secret: Uint8Array | null }
>

/** All that the database has of one master key, the older generations of its key material first. */
export interface KeyRecord {
  readonly row: KeyRow
  readonly materials: readonly MaterialRow[]
}

export function parseKeyRow(found: unknown): { row: KeyRow; stateTag: Uint8Array | null } {
  return { row: keyRowSchema.parse(found), stateTag: stateTag.parse(found).state_tag }
}

export function parseMaterialRow(found: unknown): MaterialRow {
  return materialRowSchema.parse(found)
}

/** What stands for a key whose rows can't be understood: that it is there, and nothing else. */
export function unreadableRecord(region: string, keyId: string): KeyRecord {
  return {
    row: {
      region,
      key_id: keyId,
      description: '',
      enabled: 0,
      policy: '',
      policy_principals: '{}',
      tags: '{}',
      origin: 'AWS_KMS',
      multi_region: null,
      primary_region: null,
      deletion_date: null,
      pending_window_days: null,
      rotation_period_days: null,
      rotation_due: null,
      created_at: 0,
    },
    materials: [],
  }
}

/** The columns that `keys` and `backing_keys` are written by; region and key id are the rows' names. */
export const keyColumns = columnsOf(keyRowSchema, ['region', 'key_id'])
export const materialColumns = columnsOf(materialRowSchema, [])

function columnsOf(schema: z.ZodObject, except: readonly string[]): readonly string[] {
  return Object.keys(schema.shape).filter((name) => !except.includes(name))
}
