import { CreateRoleCommand, CreateUserCommand } from '@aws-sdk/client-iam'
import { CreateAliasCommand, CreateKeyCommand } from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { z } from 'zod'
import { startTestService, type TestService } from '../../../test/support/kms-service.ts'
import { keyringId, provisionServer, wishes } from '../../../test/support/provisioned.ts'
import { scratchDirectory } from '../../../test/support/scratch.ts'
import { type Plan, planFor } from '../plan.ts'
import type { Wishes } from '../wishes.ts'
import { cliFile } from './cli.ts'
import { cloudFormationFile } from './cloudformation.ts'
import { terraformFile } from './terraform.ts'

const account = { accountId: '111122223333', partition: 'aws' }
const variants: Readonly<Record<string, Partial<Wishes>>> = {
  'a user': {},
  'a user with MFA, grants and rewrapping': { access: 'grant', requiresMfa: true, mayRewrap: true },
  'an unbound keyring': { keyring: { context: 'none' } },
  'a role': { identity: { kind: 'role', name: 'db1', trusts: ['ec2', 'arn:aws:iam::111122223333:root'] } },
}

function planOf(variant: Partial<Wishes>): Plan {
  const all = { ...wishes, ...variant }
  return planFor(all, { account, keyringId: all.keyring.context === 'none' ? undefined : keyringId })
}

const tagList = z.array(z.object({ Key: z.string(), Value: z.string() }))
const template = z.strictObject({
  AWSTemplateFormatVersion: z.literal('2010-09-09'),
  Description: z.string(),
  Resources: z.strictObject({
    Server: z.discriminatedUnion('Type', [
      z.strictObject({
        Type: z.literal('AWS::IAM::User'),
        Properties: z.strictObject({ UserName: z.string(), Path: z.string(), Tags: tagList }),
      }),
      z.strictObject({
        Type: z.literal('AWS::IAM::Role'),
        Properties: z.strictObject({
          RoleName: z.string(),
          Path: z.string(),
          AssumeRolePolicyDocument: z.looseObject({}),
          Tags: tagList,
        }),
      }),
    ]),
    MasterKey: z.strictObject({
      Type: z.literal('AWS::KMS::Key'),
      DependsOn: z.literal('Server'),
      DeletionPolicy: z.literal('Retain'),
      UpdateReplacePolicy: z.literal('Retain'),
      Properties: z.strictObject({
        Description: z.string(),
        KeyPolicy: z.looseObject({}),
        PendingWindowInDays: z.literal(30),
        Tags: tagList,
      }),
    }),
    MasterKeyAlias: z.strictObject({
      Type: z.literal('AWS::KMS::Alias'),
      Properties: z.strictObject({
        AliasName: z.string(),
        TargetKeyId: z.strictObject({ Ref: z.literal('MasterKey') }),
      }),
    }),
  }),
  Outputs: z.looseObject({}),
})

/** What CloudFormation would call for it. */
async function deployTemplate(text: string, service: TestService): Promise<void> {
  const { Server, MasterKey, MasterKeyAlias } = template.parse(JSON.parse(text)).Resources
  const { Description, KeyPolicy, Tags } = MasterKey.Properties
  if (Server.Type === 'AWS::IAM::User') await service.iam().send(new CreateUserCommand(Server.Properties))
  else {
    const { AssumeRolePolicyDocument: document, ...properties } = Server.Properties
    const AssumeRolePolicyDocument = JSON.stringify(document)
    await service.iam().send(new CreateRoleCommand({ ...properties, AssumeRolePolicyDocument }))
  }
  const { KeyMetadata } = await service.kms().send(
    new CreateKeyCommand({
      Description,
      Policy: JSON.stringify(KeyPolicy),
      Tags: Tags.map(({ Key, Value }) => ({ TagKey: Key, TagValue: Value })),
    }),
  )
  const { AliasName } = MasterKeyAlias.Properties
  await service.kms().send(new CreateAliasCommand({ AliasName, TargetKeyId: KeyMetadata?.KeyId }))
}

const tagMap = z.record(z.string(), z.string())
const server = { name: z.string(), path: z.string(), tags: tagMap }
const labelled = <T extends z.ZodType>(resource: T) => z.strictObject({ strongroom_db1: resource })
const configuration = z.strictObject({
  '//': z.string(),
  resource: z.strictObject({
    aws_iam_user: labelled(z.strictObject(server)).optional(),
    aws_iam_role: labelled(z.strictObject({ ...server, assume_role_policy: z.string() })).optional(),
    aws_kms_key: labelled(
      z.strictObject({
        description: z.string(),
        policy: z.string(),
        deletion_window_in_days: z.literal(30),
        tags: tagMap,
        depends_on: z.tuple([z.enum(['aws_iam_user.strongroom_db1', 'aws_iam_role.strongroom_db1'])]),
        lifecycle: z.strictObject({ prevent_destroy: z.literal(true) }),
      }),
    ),
    aws_kms_alias: labelled(
      z.strictObject({
        name: z.string(),
        target_key_id: z.literal('${aws_kms_key.strongroom_db1.key_id}'),
      }),
    ),
  }),
  output: z.looseObject({}),
})

/** What Terraform's AWS provider would call for it. Nothing in its texts is a template but the reference. */
async function applyConfiguration(text: string, service: TestService): Promise<void> {
  assert.equal(text.match(/[$%]\{/g)?.length, 2, 'the alias and the output')
  const { resource } = configuration.parse(JSON.parse(text))
  const pairs = (tags: Record<string, string>) => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }))
  const [user, role] = [resource.aws_iam_user?.strongroom_db1, resource.aws_iam_role?.strongroom_db1]
  if (user !== undefined)
    await service
      .iam()
      .send(new CreateUserCommand({ UserName: user.name, Path: user.path, Tags: pairs(user.tags) }))
  if (role !== undefined)
    await service.iam().send(
      new CreateRoleCommand({
        RoleName: role.name,
        Path: role.path,
        AssumeRolePolicyDocument: role.assume_role_policy,
        Tags: pairs(role.tags),
      }),
    )
  const { description, policy, tags } = resource.aws_kms_key.strongroom_db1
  const { KeyMetadata } = await service.kms().send(
    new CreateKeyCommand({
      Description: description,
      Policy: policy,
      Tags: pairs(tags).map(({ Key, Value }) => ({ TagKey: Key, TagValue: Value })),
    }),
  )
  const { name } = resource.aws_kms_alias.strongroom_db1
  await service.kms().send(new CreateAliasCommand({ AliasName: name, TargetKeyId: KeyMetadata?.KeyId }))
}

const forms = {
  CloudFormation: { file: cloudFormationFile, deploy: deployTemplate },
  Terraform: { file: terraformFile, deploy: applyConfiguration },
}

for (const [form, { file, deploy }] of Object.entries(forms)) {
  for (const [name, variant] of Object.entries(variants)) {
    test(`${form}: what the file makes is what provision makes: ${name}`, async (t) => {
      const service = await startTestService(t)
      await deploy(file(planOf(variant)), service)
      const { calls } = await provisionServer(service, variant)
      const left = variant.identity?.kind === 'role' ? [] : ['CreateAccessKey']
      assert.deepEqual(
        calls.map(({ operation }) => operation),
        left,
      )
    })
  }
}

test('the policies in the files are those of the plan, word for word', () => {
  for (const variant of Object.values(variants)) {
    const plan = planOf(variant)
    const inTemplate = template.parse(JSON.parse(cloudFormationFile(plan))).Resources.MasterKey.Properties
    assert.deepEqual(inTemplate.KeyPolicy, plan.masterKey.policy)
    const { policy } = configuration.parse(JSON.parse(terraformFile(plan))).resource.aws_kms_key
      .strongroom_db1
    assert.deepEqual(JSON.parse(policy), plan.masterKey.policy)
  }
})

test("Terraform's templates in a text stay text", () => {
  const plan = planOf({
    identity: { kind: 'role', name: 'db1', trusts: ['arn:aws:iam::111122223333:user/${x}%{y}'] },
  })
  assert.match(terraformFile(plan), /user\/\$\$\{x\}%%\{y\}/)
})

test('neither Terraform nor CloudFormation is to make an access key, whose secret would be in their state', () => {
  const plan = planOf({})
  assert.doesNotMatch(cloudFormationFile(plan) + terraformFile(plan), /access.?key/i)
})

test('the script asks once for a master key, unless KMS does not know yet whom IAM has made', (t) => {
  const folder = scratchDirectory(t)
  const script = join(folder, 'db1.sh')
  writeFileSync(script, cliFile(planOf({}), { region: undefined, endpointUrl: undefined }))
  const log = join(folder, 'log')
  const run = (refusal: string) => {
    rmSync(log, { force: true })
    // In the place of AWS's: the first master key is refused, and what can make two of a thing must know its number of attempts.
    const stand = `#!/bin/sh
echo "$2 \${AWS_MAX_ATTEMPTS:-}" >> ${log}
case "$2" in
  create-key)
    [ "$(grep -c create-key ${log})" -gt 1 ] || { echo '${refusal}' >&2; exit 255; }
    echo the-key ;;
  create-access-key) printf 'AKIAIOSFODNN7EXAMPLE\\tsecret\\n' ;;
esac
`
    writeFileSync(join(folder, 'aws'), stand, { mode: 0o755 })
    const PATH = `${folder}:${process.env['PATH'] ?? ''}`
    const { status, stdout } = spawnSync('sh', [script, join(folder, 'credentials')], {
      env: { ...process.env, PATH, TMPDIR: folder },
      encoding: 'utf8',
    })
    return { status, stdout, calls: readFileSync(log, 'utf8').trim().split('\n') }
  }
  const lost = run('Read timeout on endpoint URL')
  assert.deepEqual([lost.status, lost.calls], [1, ['create-user ', 'create-key 1']])
  const early = run('Policy contains a statement with one or more invalid principals.')
  assert.deepEqual([early.status, early.stdout], [0, 'the-key\n'])
  assert.deepEqual(early.calls, [
    'create-user ',
    'create-key 1',
    'create-key 1',
    'create-alias ',
    'create-access-key 1',
  ])
  assert.match(readFileSync(join(folder, 'credentials'), 'utf8'), /= AKIAIOSFODNN7EXAMPLE\n.*= secret\n$/)
  assert.deepEqual(readdirSync(folder).sort(), ['aws', 'credentials', 'db1.sh', 'log'])
})

test('the script is one that shellcheck has nothing to say about', (t) => {
  const folder = scratchDirectory(t)
  for (const [index, variant] of Object.values(variants).entries()) {
    const script = join(folder, `${index}.sh`)
    writeFileSync(script, cliFile(planOf(variant), { region: "it's", endpointUrl: 'http://127.0.0.1:8202' }))
    execFileSync('shellcheck', [script], { encoding: 'utf8' })
  }
})
