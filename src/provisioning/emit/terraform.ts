import type { Plan, Tags } from '../plan.ts'
import { type Policy, policyText } from '../policy.ts'

/**
 * The plan in Terraform's JSON syntax, for a file NAME.tf.json. The access key is not in it: its secret would be in the state file, for
 * everybody who may read that. https://developer.hashicorp.com/terraform/language/syntax/json
 */
export function terraformFile({ server, identity, masterKey }: Plan): string {
  const label = `strongroom_${server.replaceAll('-', '_')}`
  const type = identity.kind === 'user' ? 'aws_iam_user' : 'aws_iam_role'
  const configuration = {
    '//': `Master key and IAM ${identity.kind} of the MariaDB server ${server}, by strongroom provision`,
    resource: {
      [type]: {
        [label]: {
          name: literal(identity.name),
          path: literal(identity.path),
          ...(identity.kind === 'role' && { assume_role_policy: policy(identity.trustPolicy) }),
          tags: tagMap(identity.tags),
        },
      },
      aws_kms_key: {
        [label]: {
          description: literal(masterKey.description),
          policy: policy(masterKey.policy),
          deletion_window_in_days: 30,
          tags: tagMap(masterKey.tags),
          // The policy names the user or role, which has to be there.
          depends_on: [`${type}.${label}`],
          // Without the master key no data key can be unwrapped.
          lifecycle: { prevent_destroy: true },
        },
      },
      aws_kms_alias: {
        [label]: { name: literal(masterKey.alias), target_key_id: `\${aws_kms_key.${label}.key_id}` },
      },
    },
    output: {
      [`${label}_master_key_arn`]: { value: `\${aws_kms_key.${label}.arn}` },
    },
  }
  return `${JSON.stringify(configuration, undefined, 2)}\n`
}

/** Every text is a template there. */
function literal(text: string): string {
  return text.replace(/[$%]\{/g, (start) => `${start.slice(0, 1)}${start}`)
}

function policy(document: Policy): string {
  return literal(policyText(document))
}

function tagMap(tags: Tags): Tags {
  return Object.fromEntries(Object.entries(tags).map(([name, value]) => [name, literal(value)]))
}
