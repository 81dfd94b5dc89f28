import { z } from 'zod'

/** Not objects: an object can't have every name, and has each only once. */
const pairs = z.array(z.tuple([z.string(), z.string()])).default([])

/** A request that nobody sends: may this principal do that? */
export const simulationQuestion = z.strictObject({
  /**
   * The ARN of the root user, a user, a role, a session of a role, or an OpenID Connect provider, which means those
   * for whom it vouches. Left out: everyone who can sign.
   */
  principal: z.string().optional(),
  /** Such as `kms:Decrypt`. Left out: whatever can be done with a key. */
  actions: z
    .array(z.string().regex(/^[a-z]+:[A-Za-z]+$/))
    .min(1)
    .max(100)
    .optional(),
  /** A key by id, ARN, alias or alias ARN. */
  key: z.string().optional(),
  /** The ARN of what it is about, unless that is a key. Of a role: its trust policy decides about assuming it. */
  resource: z.string().optional(),
  region: z.string().optional(),
  encryptionContext: pairs,
  /** Those of the role's session, beside the role's own. */
  sessionTags: pairs,
  sessionPolicy: z.string().optional(),
  sourceIdentity: z.string().optional(),
  /** Whether a user has temporary credentials; a role's session always has. */
  temporaryCredentials: z.boolean().default(false),
  /** How long ago the user showed an MFA code for the temporary credentials, in seconds. */
  mfaAge: z.number().nonnegative().optional(),
  sourceIp: z.string().default('127.0.0.1'),
  secureTransport: z.boolean().default(true),
  userAgent: z.string().optional(),
  /** Left out: now. */
  at: z.iso.datetime({ offset: true }).optional(),
  /** Other condition keys: what an operation would say of its own parameters. A key may stand there several times. */
  conditionKeys: pairs,
})

export type SimulationQuestion = z.infer<typeof simulationQuestion>
