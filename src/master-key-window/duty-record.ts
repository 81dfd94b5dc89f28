import { z } from 'zod'
import type { OpenOrder } from './orders.ts'
import { ownIdentity, processIdentity } from './process-identity.ts'
import { type Place, placeSchema, targetSchema } from './target.ts'

/**
 * What somebody has to close, as it is written down before it is opened.
 * - `opening`: the call that opens it was sent, or is about to be.
 * - `open`
 * - `closing`: the window is over.
 * - `watching`: it is closed, but a call that opens it was sent and not answered, so it is looked at until `mayOpenUntil`.
 */
export const dutyRecord = z.strictObject({
  format: z.literal('strongroom-master-key-duty/1'),
  id: z.string().regex(/^[0-9a-f]{16}$/),
  target: targetSchema,
  place: placeSchema,
  /** Who is to close it. */
  holder: processIdentity,
  /** These are in milliseconds since 1970. */
  begunAt: z.number(),
  endsAt: z.number(),
  state: z.enum(['opening', 'open', 'closing', 'watching']),
  mayOpenUntil: z.number().optional(),
  /** Why it is not closed yet. */
  trouble: z.string().optional(),
})
export type DutyRecord = z.infer<typeof dutyRecord>

/** As this process is about to open what is ordered. */
export function recordOf(
  { id, target, lasts, mayOpenUntil }: Omit<OpenOrder, 'order'>,
  place: Place,
): DutyRecord {
  return {
    format: 'strongroom-master-key-duty/1',
    id,
    target,
    place,
    holder: ownIdentity(),
    begunAt: Date.now(),
    endsAt: Date.now() + lasts,
    state: 'opening',
    ...(mayOpenUntil !== undefined && { mayOpenUntil }),
  }
}
