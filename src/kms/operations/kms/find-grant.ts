import { AwsException } from '../../protocol/exceptions.ts'
import type { Grant } from '../../state/grants.ts'
import type { Key } from '../../state/keys.ts'
import type { State } from '../call.ts'
import { grantIdOf } from './grant-tokens.ts'

/** Throws NotFoundException. */
export function findGrant(key: Key, grantId: string, state: State): Grant {
  const grant = state.grants.get(grantId)
  if (grant?.keyId !== key.keyId) {
    throw new AwsException('NotFoundException', `Grant ID ${grantId} not found`)
  }
  return grant
}

/** Throws InvalidGrantTokenException, also when the grant is gone. */
export function findGrantOfToken(token: string, state: State): Grant {
  const grant = state.grants.get(grantIdOf(token, state))
  if (grant === undefined) {
    throw new AwsException('InvalidGrantTokenException', 'The grant token is of a grant that is no more.')
  }
  return grant
}
