import type { Principal } from '../principal.ts'
import { AwsException } from '../protocol/exceptions.ts'

const stsWithUserSession: ReadonlySet<string> = new Set(['AssumeRole', 'GetCallerIdentity'])

/**
 * Throws when the operation may not be called with temporary credentials, whatever policies say: with those of
 * GetSessionToken nothing of IAM unless an MFA code was shown for them, and of STS little; nobody gets a session token
 * by another one. https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
 */
export function requireUsableFor(
  { service, operationName }: { service: string; operationName: string },
  { type, session }: Principal,
): void {
  if (session === undefined) return
  const isRole = type === 'AssumedRole'
  if (service === 'iam' && !isRole && session.mfaAuthenticatedAt === undefined) {
    throw new AwsException(
      'UnrecognizedClientException',
      'The security token included in the request is invalid',
    )
  }
  const offered = isRole ? operationName !== 'GetSessionToken' : stsWithUserSession.has(operationName)
  if (service === 'sts' && !offered) {
    throw new AwsException('AccessDeniedException', `Cannot call ${operationName} with session credentials`)
  }
}
