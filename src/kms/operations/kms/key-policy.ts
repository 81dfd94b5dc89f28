import { rootUserArn } from '../../arn.ts'
import { bindPrincipals, findPrincipals, type PrincipalIds } from '../../policy/bound-principals.ts'
import {
  maxPolicyBytes,
  namedPrincipals,
  parseKeyPolicy,
  type PolicyDocument,
} from '../../policy/document.ts'
import { malformed } from '../../policy/malformed.ts'
import { AwsException } from '../../protocol/exceptions.ts'
import { couldPutKeyPolicy } from '../authorize.ts'
import type { Call } from '../call.ts'

/** A key has one policy, of this name. */
export const onlyPolicyName = 'default'

export function requirePolicyName(name: string | undefined): void {
  if (name !== undefined && name !== onlyPolicyName) {
    throw new AwsException('NotFoundException', 'No such policy exists')
  }
}

/**
 * A new key policy, checked as Amazon checks it: it can be read, its principals exist, and unless the caller bypasses
 * the lock-out check it lets the caller put the next policy. The unique ids of those whom it names.
 */
export function checkedKeyPolicy(
  text: string,
  options: { key: { arn: string }; bypassLockoutCheck: boolean | undefined; call: Call },
): PrincipalIds {
  if (Buffer.byteLength(text) > maxPolicyBytes) {
    throw new AwsException('LimitExceededException', `A key policy has at most ${maxPolicyBytes} bytes.`)
  }
  const document = parseKeyPolicy(text)
  const ids = requirePrincipals(document, options.call)
  const policy = bindPrincipals(document, ids)
  if (options.bypassLockoutCheck !== true && !couldPutKeyPolicy(options.key, policy, options.call)) {
    throw malformed('The new key policy will not allow you to update the key policy in the future.')
  }
  return ids
}

function requirePrincipals(document: PolicyDocument, { state }: Call): PrincipalIds {
  const root = rootUserArn(state.account.accountId)
  const { ids, missing } = findPrincipals(document, state.principals)
  const foreign = namedPrincipals(document).filter((name) => name !== root && !ids.has(name))
  const [unknown] = [...missing, ...foreign]
  if (unknown !== undefined) {
    throw malformed(`Policy contains a statement with one or more invalid principals: ${unknown}`)
  }
  return ids
}
