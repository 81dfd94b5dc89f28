import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Credentials, startTestService } from '../support/kms-service.ts'
import { scratchDirectory } from '../support/scratch.ts'

/** The roles of a site, set up by the AWS CLI of the distribution and reviewed by boto3. */
const aws = '/usr/bin/aws'
const python = '/usr/bin/python3'
const missing = [aws, python].filter((path) => !existsSync(path))
const skip = missing.length === 0 ? false : `not installed: ${missing.join(', ')}`

const administration = {
  Version: '2012-10-17',
  Statement: {
    Effect: 'Allow',
    Action: [
      'kms:CreateKey',
      'kms:CreateAlias',
      'kms:Describe*',
      'kms:List*',
      'kms:EnableKey',
      'kms:DisableKey',
    ],
    Resource: '*',
  },
}

test(
  'an administrator may administer a key but not use it, a user may use it but not administer it',
  { skip },
  async (t) => {
    const service = await startTestService(t)
    const directory = scratchDirectory(t)
    const blob = join(directory, 'blob')
    const root = service.clientConfig().credentials
    let administrator = root
    let database = root
    let keyArn = ''
    const run = async (who: Credentials, ...args: string[]): Promise<Record<string, unknown>> => {
      const { code, stdout, stderr } = await runAws(who, args)
      assert.equal(code, 0, `aws ${args.join(' ')}: ${stderr}`)
      return stdout === '' ? {} : object(JSON.parse(stdout))
    }
    const refused = async (error: string, who: Credentials, ...args: string[]): Promise<void> => {
      const { code, stderr } = await runAws(who, args)
      assert.notEqual(code, 0, args.join(' '))
      assert.ok(stderr.includes(`(${error})`), stderr)
    }

    await t.test('a group of administrators, with a managed policy', async () => {
      const document = join(directory, 'administration.json')
      writeFileSync(document, JSON.stringify(administration, null, 2))
      const { Policy } = await run(
        root,
        ...['iam', 'create-policy', '--policy-name', 'key-administration', '--path', '/site/'],
        ...[
          '--policy-document',
          `file://${document}`,
          '--tags',
          'Key=site,Value=north',
          'Key=owner,Value=dba team',
        ],
      )
      const policyArn = String(object(Policy)['Arn'])
      assert.equal(policyArn, 'arn:aws:iam::111122223333:policy/site/key-administration')
      await run(root, 'iam', 'create-group', '--group-name', 'key-administrators')
      await run(
        root,
        ...['iam', 'attach-group-policy', '--group-name', 'key-administrators', '--policy-arn', policyArn],
      )
      administrator = await newUser('alice')
      await refused('AccessDeniedException', administrator, 'kms', 'list-keys')
      await run(
        root,
        ...['iam', 'add-user-to-group', '--group-name', 'key-administrators', '--user-name', 'alice'],
      )
      const read = await run(
        root,
        ...['iam', 'get-policy-version', '--policy-arn', policyArn, '--version-id', 'v1'],
      )
      assert.deepEqual(object(read['PolicyVersion'])['Document'], administration)
    })

    await t.test('the administrator makes a key, and can’t use it', async () => {
      const { KeyMetadata } = await run(administrator, 'kms', 'create-key')
      keyArn = String(object(KeyMetadata)['Arn'])
      await refused('AccessDeniedException', administrator, ...encrypt())
    })

    await t.test('the database uses that key, and no other, and can’t administer it', async () => {
      database = await newUser('mariadb')
      const document = JSON.stringify({
        Version: '2012-10-17',
        Statement: { Effect: 'Allow', Action: ['kms:Encrypt', 'kms:Decrypt'], Resource: keyArn },
      })
      await run(
        root,
        ...['iam', 'put-user-policy', '--user-name', 'mariadb', '--policy-name', 'use-key'],
        ...['--policy-document', document],
      )
      const read = await run(
        root,
        ...['iam', 'get-user-policy', '--user-name', 'mariadb', '--policy-name', 'use-key'],
      )
      assert.deepEqual(read['PolicyDocument'], JSON.parse(document))
      const { CiphertextBlob } = await run(database, ...encrypt())
      writeFileSync(blob, Buffer.from(String(CiphertextBlob), 'base64'))
      const { Plaintext } = await run(database, ...decrypt())
      assert.equal(Buffer.from(String(Plaintext), 'base64').toString(), 'payroll')
      await refused('AccessDeniedException', database, 'kms', 'disable-key', '--key-id', keyArn)
      const { KeyMetadata } = await run(administrator, 'kms', 'create-key')
      const other = String(object(KeyMetadata)['Arn'])
      await refused('AccessDeniedException', database, ...encrypt(other))
      await refused('AccessDenied', database, 'iam', 'list-users')
    })

    await t.test('boto3 sees the same picture', async () => {
      const seen = object(JSON.parse(await runPython()))
      assert.deepEqual(seen['users'], ['alice', 'mariadb'])
      assert.deepEqual(seen['members'], ['alice'])
      assert.deepEqual(seen['documents'], [administration])
      assert.deepEqual(seen['tags'], { owner: 'dba team', site: 'north' })
      assert.deepEqual(seen['refused'], ['NoSuchEntity', 404, 'The user with name nobody cannot be found.'])
      assert.equal(seen['conflict'], 'DeleteConflict')
      assert.equal(seen['lastUsed'], 'iam')
      assert.equal(seen['usersQuota'], 5000)
      assert.equal(seen['pages'], 2)
    })

    await t.test('the administrator closes the key; the database’s access key is deactivated', async () => {
      await run(administrator, 'kms', 'disable-key', '--key-id', keyArn)
      await refused('DisabledException', database, ...decrypt())
      await run(administrator, 'kms', 'enable-key', '--key-id', keyArn)
      await run(database, ...decrypt())
      const key = ['--user-name', 'mariadb', '--access-key-id', database.accessKeyId]
      await run(root, 'iam', 'update-access-key', ...key, '--status', 'Inactive')
      await refused('UnrecognizedClientException', database, ...decrypt())
      await run(root, 'iam', 'update-access-key', ...key, '--status', 'Active')
      await run(database, ...decrypt())
      await run(
        root,
        ...['iam', 'remove-user-from-group', '--group-name', 'key-administrators', '--user-name', 'alice'],
      )
      await refused('AccessDeniedException', administrator, 'kms', 'disable-key', '--key-id', keyArn)
    })

    function encrypt(key = keyArn): string[] {
      const plaintext = Buffer.from('payroll').toString('base64')
      return ['kms', 'encrypt', '--key-id', key, '--plaintext', plaintext]
    }

    function decrypt(): string[] {
      return ['kms', 'decrypt', '--ciphertext-blob', `fileb://${blob}`]
    }

    async function newUser(name: string): Promise<Credentials> {
      await run(root, 'iam', 'create-user', '--user-name', name)
      const { AccessKey } = await run(root, 'iam', 'create-access-key', '--user-name', name)
      const { AccessKeyId, SecretAccessKey } = object(AccessKey)
      return { accessKeyId: String(AccessKeyId), secretAccessKey: String(SecretAccessKey) }
    }

    async function runAws(who: Credentials, args: readonly string[]) {
      const { url, region } = service.current
      const fixed = ['--endpoint-url', url, '--region', region, '--output', 'json', '--no-cli-pager']
      return execute(aws, [...fixed, ...args], environment(who))
    }

    async function runPython(): Promise<string> {
      const { code, stdout, stderr } = await execute(
        python,
        [join(import.meta.dirname, 'kms-iam.py'), service.current.url, database.accessKeyId],
        environment(root),
      )
      assert.equal(code, 0, stderr)
      return stdout
    }

    function environment(who: Credentials): NodeJS.ProcessEnv {
      return {
        PATH: '/usr/bin:/bin',
        HOME: directory,
        AWS_ACCESS_KEY_ID: who.accessKeyId,
        AWS_SECRET_ACCESS_KEY: who.secretAccessKey,
        AWS_EC2_METADATA_DISABLED: 'true',
        AWS_MAX_ATTEMPTS: '1',
      }
    }
  },
)

function execute(
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(file, args, { env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, stdout, stderr })
    })
  })
}

function object(value: unknown): Record<string, unknown> {
  assert.ok(typeof value === 'object' && value !== null)
  return { ...value }
}
