import { z } from 'zod'

/*
 * Types of the query protocol, in which everything comes as text.
 */

/** A list. Clients send an empty one as an empty text. */
export function formList<Item extends z.ZodType>(item: Item): z.ZodType<z.output<Item>[]> {
  return z.preprocess((value) => (value === '' ? [] : value), z.array(item))
}

/** A whole number; its bounds go behind: `formInteger.pipe(z.int().min(1).max(1000))`. */
export const formInteger = z
  .string()
  .regex(/^-?\d{1,9}$/)
  .transform(Number)

export const formBoolean = z.enum(['true', 'false']).transform((text) => text === 'true')
