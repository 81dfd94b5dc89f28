import { z } from 'zod'
import { belongsTo as accessKeyOwner } from '../state/access-keys.ts'
import { owner as wrappingKeyOwner } from '../state/import-tokens.ts'
import { belongsTo as backingKeyOwner } from '../state/keys/key-store.ts'
import { belongsTo as deviceOwner } from '../state/mfa-devices.ts'
import { belongsTo as serviceOwner } from '../state/service-row.ts'
import { belongsTo as sessionOwner } from '../state/sessions.ts'
import { belongsTo as authorityOwner } from '../tls/certificate-authority.ts'

/** A column whose values are sealed by the root key. */
export interface SealedColumn {
  readonly table: string
  readonly column: string
  /** What the value of a row was sealed for. */
  owner(row: unknown): string
}

/** All of them; a test compares the list with the schema. */
export const sealedColumns: readonly SealedColumn[] = [
  {
    table: 'service',
    column: 'sealed_check',
    owner(row) {
      const found = z
        .object({ service_id: z.string(), account_id: z.string(), region: z.string() })
        .parse(row)
      return serviceOwner({ serviceId: found.service_id, accountId: found.account_id, region: found.region })
    },
  },
  {
    table: 'backing_keys',
    column: 'sealed_secret',
    owner(row) {
      const shape = z.object({ key_id: z.string(), backing_key_id: z.string(), generation: z.number() })
      const found = shape.parse(row)
      return backingKeyOwner(found.key_id, found.backing_key_id, found.generation)
    },
  },
  {
    table: 'import_parameters',
    column: 'sealed_private_key',
    owner(row) {
      const found = importParameters.parse(row)
      return wrappingKeyOwner(
        { region: found.region, keyId: found.key_id },
        { id: found.token_id, algorithm: found.wrapping_algorithm, end: found.expires_at },
      )
    },
  },
  {
    table: 'access_keys',
    column: 'sealed_secret',
    owner(row) {
      const found = z.object({ access_key_id: z.string(), user_id: z.string().nullable() }).parse(row)
      return accessKeyOwner(found.access_key_id, found.user_id ?? undefined)
    },
  },
  {
    table: 'mfa_devices',
    column: 'sealed_seed',
    owner(row) {
      const found = z.object({ device_name: z.string(), owner: z.string().nullable() }).parse(row)
      return deviceOwner(found.device_name, found.owner)
    },
  },
  {
    table: 'sessions',
    column: 'sealed_secret',
    owner: (row) => sessionOwner(session.parse(row)),
  },
  {
    table: 'certificate_authority',
    column: 'sealed_private_key',
    owner: (row) => authorityOwner(z.object({ certificate: z.string() }).parse(row).certificate),
  },
]

const importParameters = z.object({
  region: z.string(),
  key_id: z.string(),
  token_id: z.string(),
  wrapping_algorithm: z.string(),
  expires_at: z.number(),
})

const session = z.object({
  access_key_id: z.string(),
  token_hash: z.instanceof(Uint8Array),
  details: z.string(),
  issued_at: z.number(),
  expires_at: z.number(),
})
