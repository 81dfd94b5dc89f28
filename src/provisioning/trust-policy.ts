import type { Policy, Statement } from './policy.ts'

/** Who may assume the server's role. `ec2` is an instance that has it as its profile. */
export function trustPolicy(trusts: readonly string[], requiresMfa: boolean): Policy {
  const arns = trusts.filter((one) => one !== 'ec2')
  const assume = { Effect: 'Allow', Action: ['sts:AssumeRole'] } as const
  const statements: Statement[] = []
  if (arns.length < trusts.length)
    statements.push({ Sid: 'InstancesAssume', ...assume, Principal: { Service: ['ec2.amazonaws.com'] } })
  if (arns.length > 0)
    statements.push({
      Sid: 'TrustedAssume',
      ...assume,
      Principal: { AWS: arns },
      ...(requiresMfa && { Condition: { Bool: { 'aws:MultiFactorAuthPresent': 'true' } } }),
    })
  return { Version: '2012-10-17', Statement: statements }
}
