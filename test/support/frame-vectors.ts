import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const sender = z.enum(['plugin', 'agent'])
const hex = z.string()
const header = { flags: z.number(), request: z.number(), keyId: z.number(), version: z.number() }
const schema = z.object({
  good: z.array(z.object({ name: z.string(), from: sender, ...header, payload: hex, frame: hex })),
  malformed: z.array(z.object({ name: z.string(), from: sender, frame: hex })),
})

/** The frames of test/vectors/plugin-frames.json. */
export function frameVectors(): z.infer<typeof schema> {
  const file = join(import.meta.dirname, '../vectors/plugin-frames.json')
  return schema.parse(JSON.parse(readFileSync(file, 'utf8')))
}
