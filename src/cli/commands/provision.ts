import { AwsAccess, type AwsCredentials } from '../../aws/access.ts'
import { StrongroomError } from '../../errors.ts'
import { assumeForProof } from '../../provisioning/assume.ts'
import { carryOut, doing } from '../../provisioning/carry-out.ts'
import { CredentialsFile } from '../../provisioning/credentials-file.ts'
import { cliFile } from '../../provisioning/emit/cli.ts'
import { cloudFormationFile } from '../../provisioning/emit/cloudformation.ts'
import { terraformFile } from '../../provisioning/emit/terraform.ts'
import { lookAtCaller } from '../../provisioning/look.ts'
import { escapeHatches, nextSteps } from '../../provisioning/next-steps.ts'
import { keyringIdFor, planFor } from '../../provisioning/plan.ts'
import type { Proof } from '../../provisioning/proof/probe.ts'
import { proveRights } from '../../provisioning/proof/prove-rights.ts'
import { untried } from '../../provisioning/proof/server-rest.ts'
import { prepare, type Provisioning } from '../../provisioning/provision.ts'
import type { Account } from '../../provisioning/wishes.ts'
import { awsAccessFrom, awsOptionsHelp } from '../aws-options.ts'
import type { Command } from '../command.ts'
import { note, print } from '../terminal.ts'
import { askYesOrNo } from '../yes-or-no.ts'
import { emitForms, type ProvisionArguments, readArguments } from './provision/options.ts'
import { callsInFull, callsInShort, failuresOf, planAsJson, tableOf } from './provision/report.ts'

export const provision: Command = {
  help: `
  strongroom provision db1 --credentials-out db1.credentials
  strongroom provision db1 --dry-run
  strongroom provision db1 --emit terraform --keyring-id generate --account-id 111122223333 > db1.tf.json

Makes what the database server db1 needs in AWS, with an administrator's credentials: an IAM user of its own with an access key, and a
master key whose policy lets this user unwrap this server's data keys and do nothing else, and lets administrators administer and not
decrypt. Shows the calls, asks, makes them, and proves by calls what each may do and may not. Run again, it makes what is missing and
changes what differs; never a second master key. docs/provisioning.md has the policies, and what administrators still can do.

  --credentials-out FILE  gets the access key (mode 0600), and must not be there; or has it from an earlier run
  --dry-run           change nothing; print each call that would be made, and the policies
  --emit FORM         print a file that makes the same: terraform, cloudformation, or a script for AWS's cli
  --account-id ID     for --emit, which then needs no credentials
  --yes               don't ask
  --json              for programs
  --wait SECONDS      how long AWS may take to know what was changed (default: 60)

  --user NAME         (default: strongroom-db1)
  --role NAME         a role instead of a user, for whom --trust names: ec2 (instances), or the ARN of a user or role; repeat it
  --alias ALIAS       of the master key (default: alias/strongroom-db1)
  --keyring-id ID     of the server's keyring, 32 hex digits; or generate (default: the one that the master key was made for, else a new one)
  --encryption-context none   for the keys of MariaDB's own AWS plugin
  --administrator ARN only this user or role administers the master key, beside the root user; repeat it (default: whom IAM lets)
  --access grant      no right to unwrap but while \`strongroom master-key window --grant\` gives it
  --require-mfa       no right to unwrap without an MFA code: see \`strongroom with-mfa\`
  --rewrap            the server may also rewrap its data keys (kms:ReEncrypt*)
  --new-access-key    one more access key, to take the place of the one that there is
  --adopt             take a user, role or master key of that name though it was not made for this server
${awsOptionsHelp}
`,
  async run(args) {
    const options = readArguments(args)
    if (emitForms.some((form) => form === options.mode)) return await emit(options)
    const access = awsAccessFrom(options.aws)
    const once = awsAccessFrom(options.aws, 1)
    try {
      return await work(options, access, once)
    } finally {
      access.close()
      once.close()
    }
  },
}

async function emit(options: ProvisionArguments): Promise<number> {
  const { wishes, mode, aws } = options
  const plan = planFor(wishes, {
    account: await accountFor(options),
    keyringId: keyringIdFor(wishes, undefined),
  })
  if (mode === 'terraform') process.stdout.write(terraformFile(plan))
  else if (mode === 'cloudformation') process.stdout.write(cloudFormationFile(plan))
  else process.stdout.write(cliFile(plan, { region: aws.region, endpointUrl: aws['endpoint-url'] }))
  noteKeyring(plan.keyringId)
  if (mode !== 'cli' && plan.identity.kind === 'user')
    note(
      'the access key is not in the file, whose secret others could read then: once the rest is there, the same command with --credentials-out makes it, and proves the rights',
    )
  return 0
}

/** Where it is a new one, each run would make another. */
function noteKeyring(keyringId: string | undefined): void {
  if (keyringId !== undefined)
    note(`the id of the keyring is ${keyringId}: say --keyring-id ${keyringId} from now on`)
}

async function accountFor({ accountId, aws }: ProvisionArguments): Promise<Account> {
  if (accountId !== undefined) return { accountId, partition: partitionOf(aws.region) }
  const access = awsAccessFrom(aws)
  try {
    return await lookAtCaller(access)
  } finally {
    access.close()
  }
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html */
function partitionOf(region = ''): string {
  if (region.startsWith('cn-')) return 'aws-cn'
  return region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws'
}

async function work(options: ProvisionArguments, access: AwsAccess, once: AwsAccess): Promise<number> {
  const { wishes, mode, json, adopt, newAccessKey, credentialsOut, patience } = options
  const file = credentialsOut === undefined ? undefined : new CredentialsFile(credentialsOut)
  const prepared = await prepare(wishes, { file, newAccessKey, adopt }, access)
  const { calls, plan, found } = prepared
  for (const one of prepared.adopted) note(`taken because of --adopt: ${one}`)
  if (mode === 'dry-run') {
    if (json) print(JSON.stringify({ ...planAsJson(plan), calls }))
    else callsInFull(prepared).forEach(print)
    if (found.masterKey === undefined) noteKeyring(plan.keyringId)
    return 0
  }
  callsInShort(prepared).forEach((line) => process.stderr.write(`${line}\n`))
  if (calls.length === 0) note('everything is there as it must be')
  else if (mode === 'ask' && !(await askYesOrNo('Make these calls?'))) {
    note('nothing was changed')
    return 1
  }
  const madeArn = await carryOut(calls, {
    access,
    once,
    file,
    accessKeyIds: found.identity?.accessKeys.map(({ id }) => id) ?? [],
    patience,
    onDone: (call) => {
      note(`done: ${doing(call)}`)
    },
    onWait: note,
  })
  const keyArn = madeArn ?? found.masterKey?.arn ?? ''
  return await finish(options, access, { prepared, keyArn, file })
}

interface Done {
  readonly prepared: Provisioning
  readonly keyArn: string
  readonly file: CredentialsFile | undefined
}

async function finish(options: ProvisionArguments, access: AwsAccess, done: Done): Promise<number> {
  const { wishes, json, aws } = options
  const { prepared, keyArn, file } = done
  const { plan, found } = prepared
  const isEnabled = found.masterKey === undefined || found.masterKey.state === 'Enabled'
  const { proofs, unproved } = isEnabled
    ? await proofsFor(options, access, done)
    : { proofs: [], unproved: [`the master key is not enabled, so no right can be proved`] }
  const held = file?.read()
  const accessKeyId = held?.state === 'whole' ? held.credentials.accessKeyId : undefined
  const steps = nextSteps(plan, wishes, {
    keyArn,
    region: await access.do('find out the region', () => access.kms.config.region()),
    endpointUrl: aws['endpoint-url'],
    credentialsFile: file?.path,
    otherAccessKeys: (found.identity?.accessKeys ?? [])
      .map(({ id }) => id)
      .filter((id) => id !== accessKeyId),
  })
  const failed = failuresOf(proofs)
  const code = failed.length > 0 || !isEnabled ? 1 : 0
  if (json) {
    const planned = planAsJson(plan)
    const masterKey = { ...planned.masterKey, arn: keyArn }
    const result = { ...planned, masterKey, accessKeyId: accessKeyId ?? null, calls: prepared.calls }
    print(JSON.stringify({ ...result, proofs, unproved, untried, nextSteps: steps }))
  } else tableOf(proofs).forEach(print)
  for (const { action, detail } of failed)
    note(`not as it must be: ${action} (${detail ?? 'it was carried out'})`)
  for (const one of unproved) note(`not proved: ${one}`)
  note(
    `not tried, because it would do harm if it were allowed: ${untried.join(', ')}; what refuses the others refuses these`,
  )
  for (const one of escapeHatches) note(`note: ${one}`)
  if (!json) for (const step of steps) note(`next: ${step}`)
  return code
}

async function proofsFor(
  { wishes, aws, patience }: ProvisionArguments,
  administrator: AwsAccess,
  { prepared, keyArn, file }: Done,
): Promise<{ proofs: Proof[]; unproved: string[] }> {
  const { plan, calls, caller } = prepared
  const credentials = await credentialsFor(prepared, administrator, file)
  const region = await administrator.do('find out the region', () => administrator.kms.config.region())
  const server = credentials && new AwsAccess({ credentials, region, endpointUrl: aws['endpoint-url'] })
  try {
    const proofs = await proveRights(
      { plan, wishes, keyArn },
      {
        server,
        administrator,
        callerArn: caller.arn,
        patience: calls.length === 0 ? 0 : patience,
        onWait: note,
      },
    )
    return { proofs, unproved: unprovedOf(prepared, wishes, server !== undefined) }
  } finally {
    server?.close()
  }
}

async function credentialsFor(
  { plan }: Provisioning,
  access: AwsAccess,
  file: CredentialsFile | undefined,
): Promise<AwsCredentials | undefined> {
  if (plan.identity.kind === 'role') return await assumeForProof(plan.identity.arn, access)
  const held = file?.read()
  if (held?.state === 'whole') return held.credentials
  throw new StrongroomError('SR_PROVISION_FILE', `${file?.path ?? 'the file'} has no access key`)
}

function unprovedOf(
  { plan }: Provisioning,
  wishes: ProvisionArguments['wishes'],
  asServer: boolean,
): string[] {
  if (!asServer)
    return [
      `what the server may do: you may not assume its role ${plan.identity.arn} (docs/provisioning.md says how to try it there)`,
    ]
  return [
    ...(wishes.requiresMfa ? ['that the server may unwrap with an MFA code: there was none'] : []),
    ...(wishes.access === 'grant' ? ['that the server may unwrap with a grant: there was none'] : []),
  ]
}
