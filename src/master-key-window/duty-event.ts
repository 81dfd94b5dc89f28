import { z } from 'zod'

const id = z.string()

/** What happens to a duty, as the watchdog tells it, one a line of JSON. Times are in milliseconds since 1970. */
export const dutyEvent = z.discriminatedUnion('event', [
  /** The opening call is about to be sent. */
  z.strictObject({ event: z.literal('opening'), id }),
  z.strictObject({
    event: z.literal('open'),
    id,
    at: z.number(),
    endsAt: z.number(),
    requestId: z.string().optional(),
  }),
  /** It is tried again in so many milliseconds. */
  z.strictObject({ event: z.literal('retry'), id, message: z.string(), pause: z.number() }),
  /** For good: nothing was opened, and nothing is left to be done. */
  z.strictObject({ event: z.literal('not-opened'), id, code: z.string(), message: z.string() }),
  z.strictObject({ event: z.literal('closing'), id, because: z.string() }),
  z.strictObject({ event: z.literal('not-closed'), id, message: z.string(), pause: z.number() }),
  z.strictObject({
    event: z.literal('closed'),
    id,
    at: z.number(),
    requestId: z.string().optional(),
    /** A call that opens it may still arrive: the watchdog stays until then. */
    watchedUntil: z.number().optional(),
  }),
])
export type DutyEvent = z.infer<typeof dutyEvent>

type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never
/** As the one tells it who holds a single duty. */
export type OwnDutyEvent = WithoutId<DutyEvent>
