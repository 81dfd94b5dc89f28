import { z } from 'zod'

const keyArn = z.string()

/** What is opened for the time of a window, and has to be closed again. */
export const targetSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('key'), keyArn }),
  z.strictObject({
    type: z.literal('grant'),
    keyArn,
    principal: z.string(),
    grantName: z.string(),
    /** Only the keys of this keyring; undefined: whatever the master key wraps. */
    keyringId: z.string().optional(),
  }),
])
export type Target = z.infer<typeof targetSchema>

/** Where the master key is, and how it is reached. */
export const placeSchema = z.strictObject({
  region: z.string(),
  endpointUrl: z.string().optional(),
  profile: z.string().optional(),
})
export type Place = z.infer<typeof placeSchema>

/** Whether closing one closes the other. */
export function isSameTarget(a: Target, b: Target): boolean {
  if (a.type === 'key') return b.type === 'key' && a.keyArn === b.keyArn
  return b.type === 'grant' && a.keyArn === b.keyArn && a.grantName === b.grantName
}

export function describeTarget(target: Target): string {
  return target.type === 'key'
    ? `master key ${target.keyArn}`
    : `grant ${target.grantName} of master key ${target.keyArn}`
}
