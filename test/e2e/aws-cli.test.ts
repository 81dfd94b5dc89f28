import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { exampleRegion, keyPolicy } from '../../src/cli/demo/kms-setup.ts'
import { Stack } from '../../src/cli/demo/stack.ts'

/** The KMS steps of the demo, by the AWS CLI of the distribution. */
const aws = '/usr/bin/aws'
const skip = existsSync(aws) ? false : `the distribution's AWS CLI (${aws}) is not installed`

let stack: Stack
let administrator: string
let user: string

before(async () => {
  if (skip !== false) return
  stack = await Stack.create()
  await stack.startKms()
  administrator = stack.administrator.credentialsFile
  user = join(stack.directory, 'user-credentials')
})

after(() => (skip === false ? stack.remove() : undefined))

test('the AWS CLI does the KMS steps of the demo', { skip }, async (t) => {
  let keyId = ''
  let arn = ''
  let userArn = ''
  const blob = join(stack.directory, 'blob')
  const context = ['--encryption-context', 'strongroom-keyring=k,strongroom-key-id=1']

  await t.test('create a user and its access key', async () => {
    const { User } = await run(administrator, 'iam', 'create-user', '--user-name', 'mariadb')
    userArn = String(object(User)['Arn'])
    const { AccessKey } = await run(administrator, 'iam', 'create-access-key', '--user-name', 'mariadb')
    const { AccessKeyId, SecretAccessKey } = object(AccessKey)
    const lines = [
      '[default]',
      `aws_access_key_id=${String(AccessKeyId)}`,
      `aws_secret_access_key=${String(SecretAccessKey)}`,
    ]
    writeFileSync(user, `${lines.join('\n')}\n`, { mode: 0o600 })
    assert.equal((await run(user, 'sts', 'get-caller-identity'))['Arn'], userArn)
  })

  await t.test('create a master key, its alias and its policy', async () => {
    const { KeyMetadata } = await run(administrator, 'kms', 'create-key', '--description', 'MariaDB at rest')
    keyId = String(object(KeyMetadata)['KeyId'])
    arn = String(object(KeyMetadata)['Arn'])
    await run(administrator, 'kms', 'create-alias', '--alias-name', 'alias/mariadb', '--target-key-id', keyId)
    const policy = JSON.stringify(keyPolicy(userArn))
    await run(
      administrator,
      'kms',
      'put-key-policy',
      '--key-id',
      keyId,
      '--policy-name',
      'default',
      '--policy',
      policy,
    )
    const read = await run(
      administrator,
      'kms',
      'get-key-policy',
      '--key-id',
      keyId,
      '--policy-name',
      'default',
    )
    assert.deepEqual(JSON.parse(String(read['Policy'])), keyPolicy(userArn))
    const { Keys, Aliases } = {
      ...(await run(administrator, 'kms', 'list-keys')),
      ...(await run(administrator, 'kms', 'list-aliases')),
    }
    assert.ok(JSON.stringify(Keys).includes(arn))
    assert.ok(JSON.stringify(Aliases).includes('alias/mariadb'))
  })

  await t.test('the user wraps and unwraps, and administers nothing', async () => {
    const made = await run(
      user,
      'kms',
      'generate-data-key-without-plaintext',
      '--key-id',
      'alias/mariadb',
      '--key-spec',
      'AES_256',
      ...context,
    )
    writeFileSync(blob, Buffer.from(String(made['CiphertextBlob']), 'base64'))
    const { Plaintext, KeyId } = await run(
      user,
      'kms',
      'decrypt',
      '--ciphertext-blob',
      `fileb://${blob}`,
      ...context,
    )
    assert.equal(Buffer.from(String(Plaintext), 'base64').length, 32)
    assert.equal(KeyId, arn)
    await refused('AccessDeniedException', user, 'kms', 'disable-key', '--key-id', keyId)
    await refused(
      'InvalidCiphertextException',
      user,
      'kms',
      'decrypt',
      '--ciphertext-blob',
      `fileb://${blob}`,
    )
  })

  await t.test('the master key is disabled, then enabled again', async () => {
    await run(administrator, 'kms', 'disable-key', '--key-id', keyId)
    await refused(
      'DisabledException',
      user,
      'kms',
      'decrypt',
      '--ciphertext-blob',
      `fileb://${blob}`,
      ...context,
    )
    const { KeyMetadata } = await run(user, 'kms', 'describe-key', '--key-id', arn)
    assert.equal(object(KeyMetadata)['KeyState'], 'Disabled')
    await run(administrator, 'kms', 'enable-key', '--key-id', keyId)
    await run(user, 'kms', 'decrypt', '--ciphertext-blob', `fileb://${blob}`, ...context)
  })

  await t.test('each call is in the audit trail', () => {
    const trail = readFileSync(join(stack.kmsDirectory, 'audit-trail.jsonl'), 'utf8')
    for (const name of [
      'CreateUser',
      'CreateAccessKey',
      'GetCallerIdentity',
      'CreateKey',
      'CreateAlias',
      'PutKeyPolicy',
      'GetKeyPolicy',
      'ListKeys',
      'ListAliases',
      'GenerateDataKeyWithoutPlaintext',
      'Decrypt',
      'DisableKey',
      'DescribeKey',
      'EnableKey',
    ]) {
      assert.ok(trail.includes(`"eventName":"${name}"`), name)
    }
  })
})

async function run(credentialsFile: string, ...args: readonly string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await runAws(credentialsFile, args)
  assert.equal(code, 0, `aws ${args.join(' ')}: ${stderr}`)
  return stdout === '' ? {} : object(JSON.parse(stdout))
}

async function refused(error: string, credentialsFile: string, ...args: readonly string[]): Promise<void> {
  const { code, stderr } = await runAws(credentialsFile, args)
  assert.notEqual(code, 0)
  assert.ok(stderr.includes(`(${error})`), stderr)
}

async function runAws(credentialsFile: string, args: readonly string[]) {
  const fixed = [
    '--endpoint-url',
    stack.kms.url,
    '--region',
    exampleRegion,
    '--output',
    'json',
    '--no-cli-pager',
  ]
  const env = {
    PATH: '/usr/bin:/bin',
    HOME: stack.directory,
    AWS_SHARED_CREDENTIALS_FILE: credentialsFile,
    AWS_EC2_METADATA_DISABLED: 'true',
  }
  return await new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    execFile(aws, [...fixed, ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, stdout, stderr })
    })
  })
}

function object(value: unknown): Record<string, unknown> {
  assert.ok(typeof value === 'object' && value !== null)
  return { ...value }
}
