import type { Principal } from '../../principal.ts'
import { AwsException } from '../../protocol/exceptions.ts'

/**
 * The source identity of a new role session: once it is set, it stays along the chain. Throws ValidationError.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html
 */
export function sessionSourceIdentity(given: string | undefined, { session }: Principal): string | undefined {
  const inherited = session?.sourceIdentity
  if (given !== undefined && inherited !== undefined && given !== inherited) {
    throw new AwsException(
      'ValidationException',
      'The source identity of the calling session stays, and can not be set to another one.',
    )
  }
  return given ?? inherited
}
