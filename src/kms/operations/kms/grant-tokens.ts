import { AwsException } from '../../protocol/exceptions.ts'
import type { State } from '../call.ts'

/**
 * Throws InvalidGrantTokenException unless all of them are grant tokens of this region. More than that they need not
 * be: a grant allows from the moment on that CreateGrant answers, with or without its token.
 * https://docs.aws.amazon.com/kms/latest/developerguide/using-grant-token.html
 */
export function requireGrantTokens(tokens: readonly string[] | undefined, state: State): void {
  for (const token of tokens ?? []) grantIdOf(token, state)
}

/** The id of the grant that the token stands for, which may be gone. */
export function grantIdOf(token: string, { grants }: State): string {
  const grantId = grants.grantIdOfToken(token)
  if (grantId === undefined) {
    throw new AwsException('InvalidGrantTokenException', 'The grant token is not valid.')
  }
  return grantId
}
