import type { Plan } from './plan.ts'
import type { Wishes } from './wishes.ts'

export interface Outcome {
  readonly keyArn: string
  readonly region: string
  readonly endpointUrl: string | undefined
  /** Of a user. */
  readonly credentialsFile: string | undefined
  /** Ids of the user's other access keys. */
  readonly otherAccessKeys: readonly string[]
}

/** What is left to do, in its order. */
export function nextSteps(plan: Plan, wishes: Wishes, outcome: Outcome): string[] {
  const { identity } = plan
  const { region, endpointUrl } = outcome
  const elsewhere = endpointUrl === undefined ? '' : ` --endpoint-url ${endpointUrl}`
  const iam = `aws${elsewhere} iam`
  return [
    ...(wishes.identity.kind === 'role' && wishes.identity.trusts.includes('ec2')
      ? instanceProfile(identity.name)
      : []),
    ...(wishes.requiresMfa && identity.kind === 'user' ? mfaDevice(identity.name, iam) : []),
    ...(outcome.credentialsFile === undefined
      ? []
      : [
          wishes.requiresMfa
            ? `give ${outcome.credentialsFile} to whoever starts the database, and not to the database host (docs/with-mfa.md)`
            : `give ${outcome.credentialsFile} to the database host as /etc/strongroom/aws-credentials, and remove it here`,
        ]),
    `there: ${configure(plan, wishes, outcome)}`,
    ...(wishes.requiresMfa
      ? [`start the database by: strongroom with-mfa ${sessionOptions(plan)} -- systemctl start mariadb`]
      : []),
    ...(wishes.access === 'grant'
      ? [
          `start the database by, from another host: strongroom master-key window ${plan.masterKey.alias} --grant ${identity.arn}${plan.keyringId === undefined ? '' : ` --keyring-id ${plan.keyringId}`} --region ${region}${elsewhere} --until-ready COMMAND`,
        ]
      : []),
    ...outcome.otherAccessKeys.map(
      (id) =>
        `once the agent uses the new access key (${iam} get-access-key-last-used --access-key-id ${id} shows no later use): ${iam} update-access-key --user-name ${identity.name} --access-key-id ${id} --status Inactive, and a day later ${iam} delete-access-key --user-name ${identity.name} --access-key-id ${id}`,
    ),
  ]
}

function configure(plan: Plan, wishes: Wishes, { keyArn, region, endpointUrl }: Outcome): string {
  const words = [
    'strongroom mariadb configure',
    `--master-key-id ${keyArn} --region ${region}`,
    ...(endpointUrl === undefined ? [] : [`--endpoint-url ${endpointUrl}`]),
    plan.keyringId === undefined ? '--encryption-context none' : `--keyring-id ${plan.keyringId}`,
    ...(wishes.requiresMfa
      ? ['--credentials with-mfa']
      : wishes.identity.kind === 'role'
        ? ['--credentials none']
        : []),
  ]
  return words.join(' ')
}

/** Not made by us: a KMS service of one's own has no such thing. */
function instanceProfile(role: string): string[] {
  return [
    `aws iam create-instance-profile --instance-profile-name ${role}`,
    `aws iam add-role-to-instance-profile --instance-profile-name ${role} --role-name ${role}`,
    `give the instance that profile (aws ec2 associate-iam-instance-profile)`,
  ]
}

function mfaDevice(user: string, iam: string): string[] {
  return [
    `${iam} create-virtual-mfa-device --virtual-mfa-device-name ${user} --outfile ${user}.png --bootstrap-method QRCodePNG, and scan that`,
    `${iam} enable-mfa-device --user-name ${user} --serial-number SERIAL --authentication-code1 CODE --authentication-code2 NEXT_CODE`,
  ]
}

/** The user may not list its devices, so its device has to be named: that of `mfaDevice`. */
function sessionOptions({ identity: { kind, name, path, arn } }: Plan): string {
  if (kind === 'role') return `--role-arn ${arn}`
  return `--serial ${arn.slice(0, -`user${path}${name}`.length)}mfa/${name}`
}

/** What no key policy can take from those who administer. */
export const escapeHatches = [
  'administrators of the master key can change its policy (kms:PutKeyPolicy), and so let themselves in',
  'administrators of IAM can make themselves an access key of the user, or change who may assume the role',
]
