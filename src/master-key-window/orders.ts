import { z } from 'zod'
import { handedCredentials } from './credentials.ts'
import { dutyEvent } from './duty-event.ts'
import { placeSchema, targetSchema } from './target.ts'

/* What is said between `strongroom master-key window` and its watchdog, through a pipe each way: one JSON object a line. */

/** First of all. */
export const taskSchema = z.strictObject({
  credentials: handedCredentials,
  place: placeSchema,
  stateDirectory: z.string(),
})
export type Task = z.infer<typeof taskSchema>

export const orderSchema = z.discriminatedUnion('order', [
  z.strictObject({
    order: z.literal('open'),
    id: z.string(),
    target: targetSchema,
    lasts: z.number(),
    proves: z.boolean(),
    /** Of an earlier duty for the same target, which this one takes over. */
    mayOpenUntil: z.number().optional(),
  }),
  z.strictObject({ order: z.literal('close'), id: z.string(), because: z.string() }),
])
export type Order = z.infer<typeof orderSchema>
export type OpenOrder = Extract<Order, { order: 'open' }>

/** `ready`: from now on the watchdog does what it was started for. */
export const reportSchema = z.union([z.strictObject({ event: z.literal('ready') }), dutyEvent])
