import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { startTestService, type TestService } from '../support/kms-service.ts'

/*
 * Unmodified clients of the distribution on aliases, tags, grants, random bytes and lists.
 */

const aws = '/usr/bin/aws'
const python = '/usr/bin/python3'
const run = promisify(execFile)

/** Why a test is skipped; false: it isn't. */
const withoutAws = existsSync(aws) ? false : `the distribution's AWS CLI (${aws}) is not installed`
const withoutBoto3 = existsSync('/usr/lib/python3/dist-packages/boto3')
  ? false
  : "the distribution's boto3 (python3-boto3) is not installed"

interface Fixture {
  readonly service: TestService
  readonly rootFile: string
  /** Of the user bob, whom no policy allows anything. */
  readonly userFile: string
}

async function fixture(t: TestContext): Promise<Fixture> {
  const service = await startTestService(t)
  const { accessKeyId, secretAccessKey } = await service.makeUser('bob')
  const userFile = join(service.directory, 'bob')
  const lines = [
    '[default]',
    `aws_access_key_id = ${accessKeyId}`,
    `aws_secret_access_key = ${secretAccessKey}`,
  ]
  writeFileSync(userFile, `${lines.join('\n')}\n`, { mode: 0o600 })
  return { service, rootFile: join(service.directory, 'root-access-key'), userFile }
}

const bobArn = 'arn:aws:iam::111122223333:user/bob'

test('boto3 does all of it', { skip: withoutBoto3 }, async (t) => {
  const { service, rootFile, userFile } = await fixture(t)
  const script = join(import.meta.dirname, 'kms-clients.py')
  const { stdout } = await run(python, [script, service.current.url, rootFile, userFile, bobArn], {
    env: { PATH: '/usr/bin:/bin', HOME: service.directory },
  })
  assert.deepEqual(JSON.parse(stdout), {
    aliases: [['alias/boto3/1', 'alias/boto3/2'], ['alias/boto3/3', 'alias/boto3/4'], ['alias/boto3/5']],
    moved: true,
    taken: [
      'AlreadyExistsException',
      'AlreadyExistsException',
      'An alias with the name arn:aws:kms:us-east-1:111122223333:alias/boto3/1 already exists',
    ],
    'no alias': [
      'NotFoundException',
      'NotFoundException',
      'Alias arn:aws:kms:us-east-1:111122223333:alias/boto3/0 is not found.',
    ],
    tags: [
      { t0: '0', t1: '1', t2: '2' },
      { t4: '4', team: 'pay' },
    ],
    reserved: ['TagException', 'TagException', 'Tags beginning with aws: are reserved'],
    opened: 'x',
    'other context': 'ClientError',
    'no token': ['InvalidGrantTokenException', 'InvalidGrantTokenException', 'The grant token is not valid.'],
    nobody: ['InvalidArnException', 'InvalidArnException'],
    grants: [2, 2, 1],
    entry: {
      Constraints: { EncryptionContextSubset: { table: 'salaries' } },
      Operations: ['Encrypt', 'Decrypt'],
      IssuingAccount: 'arn:aws:iam::111122223333:root',
      KeyId: true,
    },
    retirable: [true],
    retired: 'ClientError',
    revoked: ['NotFoundException', 'NotFoundException'],
    random: 100,
    policies: ['default'],
    policy: 'key-default-1',
    keys: 2,
    keyless: ['NotFoundException', 'NotFoundException'],
  })
})

test('the AWS CLI does all of it', { skip: withoutAws }, async (t) => {
  const { service, rootFile, userFile } = await fixture(t)
  const cli = async (credentialsFile: string, line: string): Promise<Record<string, unknown>> => {
    const env = {
      PATH: '/usr/bin:/bin',
      HOME: service.directory,
      AWS_SHARED_CREDENTIALS_FILE: credentialsFile,
      AWS_CONFIG_FILE: '/dev/null',
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_MAX_ATTEMPTS: '1',
      AWS_EC2_METADATA_DISABLED: 'true',
    }
    const args = ['--endpoint-url', service.current.url, '--output', 'json', 'kms', ...line.split(' ')]
    const { stdout } = await run(aws, args, { env })
    const value: unknown = stdout === '' ? {} : JSON.parse(stdout)
    assert.ok(typeof value === 'object' && value !== null)
    return { ...value }
  }
  const root = (line: string): Promise<Record<string, unknown>> => cli(rootFile, line)
  const refused = async (name: string, call: Promise<unknown>): Promise<void> => {
    await assert.rejects(call, (error: { stderr?: string }) => {
      assert.match(error.stderr ?? '', new RegExp(`An error occurred \\(${name}\\)`))
      return true
    })
  }
  const newKey = async (): Promise<string> => {
    const { KeyMetadata } = await root('create-key')
    return /"KeyId":"([^"]+)"/.exec(JSON.stringify(KeyMetadata))?.[1] ?? assert.fail('no key id')
  }
  const [key, other] = [await newKey(), await newKey()]

  for (const name of ['a', 'b', 'c']) {
    await root(`create-alias --alias-name alias/${name} --target-key-id ${key}`)
  }
  await root(`update-alias --alias-name alias/c --target-key-id ${other}`)
  await root('delete-alias --alias-name alias/a')
  const { Aliases } = await root('list-aliases --page-size 1')
  assert.deepEqual(
    [...JSON.stringify(Aliases).matchAll(/"AliasName":"([^"]+)"/g)].map(([, name]) => name),
    ['alias/b', 'alias/c'],
  )

  await root(`tag-resource --key-id ${key} --tags TagKey=team,TagValue=pay TagKey=x,TagValue=y`)
  await root(`untag-resource --key-id ${key} --tag-keys x`)
  assert.deepEqual((await root(`list-resource-tags --key-id ${key}`))['Tags'], [
    { TagKey: 'team', TagValue: 'pay' },
  ])
  await refused('TagException', root(`tag-resource --key-id ${key} --tags TagKey=aws:x,TagValue=y`))

  const grant = await root(
    `create-grant --key-id ${key} --grantee-principal ${bobArn} --retiring-principal ${bobArn} ` +
      '--operations Encrypt DescribeKey --constraints EncryptionContextEquals={table=salaries}',
  )
  const encrypt = `encrypt --key-id alias/b --plaintext eA== --encryption-context table=salaries`
  await cli(userFile, `${encrypt} --grant-tokens ${String(grant['GrantToken'])}`)
  await cli(userFile, encrypt)
  await cli(userFile, 'describe-key --key-id alias/b')
  await refused('AccessDeniedException', cli(userFile, `${encrypt},more=x`))
  await refused('InvalidGrantTokenException', cli(userFile, `${encrypt} --grant-tokens x`))
  assert.match(
    JSON.stringify(await root(`list-grants --key-id ${key}`)),
    /"EncryptionContextEquals":\{"table":"salaries"\}/,
  )
  const retirable = await root(`list-retirable-grants --retiring-principal ${bobArn}`)
  assert.ok(JSON.stringify(retirable).includes(String(grant['GrantId'])))
  await cli(userFile, `retire-grant --key-id ${key} --grant-id ${String(grant['GrantId'])}`)
  await refused('AccessDeniedException', cli(userFile, encrypt))
  const second = await root(`create-grant --key-id ${key} --grantee-principal ${bobArn} --operations Decrypt`)
  await root(`revoke-grant --key-id ${key} --grant-id ${String(second['GrantId'])}`)
  assert.deepEqual((await root(`list-grants --key-id ${key}`))['Grants'], [])

  const { Plaintext } = await root('generate-random --number-of-bytes 24')
  assert.equal(Buffer.from(String(Plaintext), 'base64').length, 24)
  assert.deepEqual((await root(`list-key-policies --key-id ${key}`))['PolicyNames'], ['default'])
  const { Policy } = await root(`get-key-policy --key-id ${key} --policy-name default`)
  assert.match(String(Policy), /Enable IAM User Permissions/)
  const { Keys, NextToken } = await root('list-keys --max-items 1')
  assert.ok(Array.isArray(Keys) && Keys.length === 1)
  const rest = await root(`list-keys --starting-token ${String(NextToken)}`)
  assert.deepEqual(
    [...JSON.stringify([Keys, rest['Keys']]).matchAll(/"KeyId":"([^"]+)"/g)].map(([, id]) => id).sort(),
    [key, other].sort(),
  )
})
