import { z } from 'zod'
import type { Row } from './connection.ts'

const rowSchema = z
  .object({
    SPACE: z.coerce.number(),
    NAME: z.string().nullable(),
    ENCRYPTION_SCHEME: z.coerce.number(),
    KEYSERVER_REQUESTS: z.coerce.number(),
    MIN_KEY_VERSION: z.coerce.number(),
    CURRENT_KEY_VERSION: z.coerce.number(),
    KEY_ROTATION_PAGE_NUMBER: z.coerce.number().nullable(),
    KEY_ROTATION_MAX_PAGE_NUMBER: z.coerce.number().nullable(),
    CURRENT_KEY_ID: z.coerce.number(),
    ROTATING_OR_FLUSHING: z.coerce.number(),
  })
  .transform((row) => ({
    space: row.SPACE,
    name: row.NAME ?? '',
    encrypted: row.ENCRYPTION_SCHEME !== 0 && row.MIN_KEY_VERSION > 0,
    keyId: row.CURRENT_KEY_ID,
    /** The oldest version that a page of it is still under; 0 is plaintext. */
    minKeyVersion: row.MIN_KEY_VERSION,
    currentKeyVersion: row.CURRENT_KEY_VERSION,
    keyRequests: row.KEYSERVER_REQUESTS,
    /** How far the encryption threads are with it, while they work on it. */
    progress:
      row.KEY_ROTATION_PAGE_NUMBER === null || row.KEY_ROTATION_MAX_PAGE_NUMBER === null
        ? undefined
        : { page: row.KEY_ROTATION_PAGE_NUMBER, pages: row.KEY_ROTATION_MAX_PAGE_NUMBER },
    rotatingOrFlushing: row.ROTATING_OR_FLUSHING !== 0,
  }))

export type TablespaceEncryption = z.infer<typeof rowSchema>

/**
 * What InnoDB says about the encryption of its tablespaces. A tablespace that the encryption threads never looked at has
 * no row, so this is no proof that all are encrypted.
 */
export async function readEncryptionStatus(server: {
  query(sql: string): Promise<Row[]>
}): Promise<TablespaceEncryption[]> {
  const rows = await server.query(
    'SELECT * FROM INFORMATION_SCHEMA.INNODB_TABLESPACES_ENCRYPTION ORDER BY SPACE',
  )
  return rows.map((row) => rowSchema.parse(row))
}
