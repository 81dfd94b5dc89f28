import { z } from 'zod'

/** Whom temporary credentials speak for, and what limits them: what of them lasts as long as they do. */
export type SessionDetails = z.infer<typeof sessionDetails>
export type UserSession = z.infer<typeof userSession>
export type RoleSession = z.infer<typeof roleSession>

/** Of GetSessionToken. */
const userSession = z.object({
  kind: z.literal('user'),
  /** Null: the account's root user. */
  userId: z.string().nullable(),
  /** Milliseconds since 1970; left out when no MFA code was shown. */
  mfaAuthenticatedAt: z.number().optional(),
})

/** Of AssumeRole and AssumeRoleWithWebIdentity. */
const roleSession = z.object({
  kind: z.literal('role'),
  roleId: z.string(),
  sessionName: z.string(),
  /** The session's own and those that it inherited: pairs, so that a key may be any text. */
  tags: z.array(z.tuple([z.string(), z.string()])),
  transitiveTagKeys: z.array(z.string()),
  sourceIdentity: z.string().optional(),
  /** A session policy's document. */
  policy: z.string().optional(),
  /** ARNs of managed policies that are session policies too. */
  policyArns: z.array(z.string()),
  /** Of AssumeRoleWithWebIdentity: whom the provider vouched for. */
  webIdentity: z
    .object({
      providerArn: z.string(),
      providerName: z.string(),
      subject: z.string(),
      audience: z.string(),
      otherAudiences: z.array(z.string()),
      methods: z.array(z.string()),
    })
    .optional(),
})

const sessionDetails = z.discriminatedUnion('kind', [userSession, roleSession])

export function readDetails(column: string): SessionDetails {
  return sessionDetails.parse(JSON.parse(column))
}

/** The unique id of the user or role, or `root`. */
export function sessionOwner(details: SessionDetails): string {
  return details.kind === 'role' ? details.roleId : (details.userId ?? 'root')
}
