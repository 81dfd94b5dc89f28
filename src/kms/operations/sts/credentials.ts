import { AwsException } from '../../protocol/exceptions.ts'
import type { IssuedSession } from '../../state/sessions.ts'

const largestToken = 4096

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_Credentials.html */
export function credentialsStructure(session: IssuedSession) {
  return {
    AccessKeyId: session.accessKeyId,
    SecretAccessKey: session.secretAccessKey,
    SessionToken: session.sessionToken,
    Expiration: session.expiresAt,
  }
}

/** How large the token is, in bytes and of what it might be: ours grows neither with policies nor with tags. */
export function tokenSize({ sessionToken }: IssuedSession) {
  return {
    SessionTokenSize: sessionToken.length,
    SessionTokenUtilization: Math.ceil((sessionToken.length * 100) / largestToken),
  }
}

/** For the audit trail: without the secrets. */
export function recordedCredentials(credentials: { AccessKeyId: string; Expiration: Date }) {
  return {
    accessKeyId: credentials.AccessKeyId,
    expiration: `${credentials.Expiration.toISOString().slice(0, 19)}Z`,
  }
}

/** Throws LimitExceeded when no more could be given out. */
export function requireIssued(session: IssuedSession | undefined): IssuedSession {
  if (session !== undefined) return session
  throw new AwsException(
    'LimitExceededException',
    'There are too many unexpired temporary credentials of this user or role: use those, or wait until some expire.',
  )
}
