import { z } from 'zod'
import { StrongroomError } from '../../../errors.ts'
import { optionalText } from '../../../ini-file.ts'
import type { AuditOptions } from '../../../kms/audit/options.ts'

const smallest = 65_536
const units: Readonly<Record<string, number>> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 }

const size = z
  .string()
  .regex(/^\d{1,12}[KMG]?$/, 'takes a number of bytes, such as 100M')
  .transform((text) => Number.parseInt(text, 10) * (units[text.replace(/^\d+/, '')] ?? 1))
  .pipe(z.number().min(smallest, 'is at least 64K'))

/** The options about the audit trail. */
export const auditOptionShapes = {
  'audit-max-size': size.optional(),
  'audit-keep-days': z
    .string()
    .regex(/^[1-9]\d{0,5}$/, 'takes a number of days')
    .transform(Number)
    .optional(),
  'audit-forward': optionalText,
  'audit-forward-token-file': optionalText,
  'audit-forward-ca-file': optionalText,
}

type Given = z.infer<z.ZodObject<typeof auditOptionShapes>>

/** Throws SR_USAGE for what belongs to forwarding when nothing is forwarded. */
export function auditOptions(given: Given): { audit?: AuditOptions } {
  const maxSize = given['audit-max-size']
  const keepDays = given['audit-keep-days']
  const to = given['audit-forward']
  const tokenFile = given['audit-forward-token-file']
  const caFile = given['audit-forward-ca-file']
  if (to === undefined && (tokenFile ?? caFile) !== undefined) {
    throw new StrongroomError(
      'SR_USAGE',
      'audit-forward-token-file and audit-forward-ca-file are for audit-forward',
    )
  }
  const forward = to === undefined ? undefined : { to, tokenFile, caFile }
  if (maxSize === undefined && keepDays === undefined && forward === undefined) return {}
  return { audit: { maxSize, keepDays, forward } }
}
