import { AwsException } from '../../protocol/exceptions.ts'
import { parseSessionPolicy } from '../../policy/document.ts'
import type { State } from '../call.ts'

/** Amazon's bound for the session policies of one session, in characters, ARNs of managed ones among them. */
const longestTogether = 2048

/** What the session is limited to beside the role's policies. Throws MalformedPolicyDocument and ValidationError. */
export function sessionPolicies(
  input: { Policy?: string | undefined; PolicyArns?: readonly { readonly arn: string }[] | undefined },
  { managedPolicies }: State,
): { policy: string | undefined; policyArns: string[] } {
  const { Policy: policy, PolicyArns = [] } = input
  const policyArns = PolicyArns.map(({ arn }) => arn)
  const length = [policy ?? '', ...policyArns].reduce((sum, text) => sum + text.length, 0)
  if (length > longestTogether) {
    throw new AwsException(
      'PackedPolicyTooLarge',
      `The session policies have ${length} characters together, of at most ${longestTogether}.`,
    )
  }
  if (policy !== undefined) parseSessionPolicy(policy)
  for (const arn of policyArns) {
    if (managedPolicies.withArn(arn) === undefined) {
      throw new AwsException('ValidationException', `The managed policy ${arn} does not exist.`)
    }
  }
  return { policy, policyArns }
}
