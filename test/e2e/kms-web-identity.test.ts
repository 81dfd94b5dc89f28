import { CreateOpenIDConnectProviderCommand, IAMClient } from '@aws-sdk/client-iam'
import { AssumeRoleWithWebIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { startConnectProxy } from '../support/connect-proxy.ts'
import { makeRole } from '../support/identities.ts'
import { startKms } from '../support/kms-process.ts'
import { readRootAccessKey, readTrail } from '../support/kms-service.ts'
import { audience, type Issuer, startIssuer, subject } from '../support/oidc-issuer.ts'
import { scratchDirectory } from '../support/scratch.ts'
import { strongroom } from '../support/strongroom.ts'

/*
 * A pod of Kubernetes, as far as its containers see it: a token in a file and two variables, and no access key. The AWS
 * CLI and boto3 of the distribution can't be told where STS is when they look for credentials, so they go by a proxy,
 * and the service has Amazon's names in its certificate.
 */

const aws = '/usr/bin/aws'
const python = '/usr/bin/python3'
const missing = [aws, '/usr/lib/python3/dist-packages/boto3'].filter((path) => !existsSync(path))
const skip = missing.length === 0 ? false : `not installed: ${missing.join(', ')}`
const names = ['iam', 'sts.us-east-1', 'sts', 'kms.us-east-1'].map((name) => `${name}.amazonaws.com`)
const roleArn = 'arn:aws:iam::111122223333:role/mariadb'

interface Site {
  readonly directory: string
  readonly url: string
  readonly issuer: Issuer
  readonly tokenFile: string
  /** What every client has in its environment: how to get to the service, and that there is nothing else. */
  readonly reach: Readonly<Record<'PATH' | 'HOME' | 'AWS_CA_BUNDLE' | 'AWS_EC2_METADATA_DISABLED', string>>
}

async function start(t: TestContext): Promise<Site> {
  const scratch = scratchDirectory(t)
  const directory = join(scratch, 'kms')
  const [kms, issuer] = await Promise.all([
    startKms(t, {
      directory,
      args: ['--tls', 'own-ca', '--tls-names', ['localhost', '127.0.0.1', ...names].join()],
    }),
    startIssuer(t),
  ])
  const tokenFile = join(scratch, 'token')
  writeFileSync(tokenFile, issuer.token())
  const reach = {
    PATH: '/usr/bin:/bin',
    HOME: scratch,
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_CA_BUNDLE: join(directory, 'ca.pem'),
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_STS_REGIONAL_ENDPOINTS: 'regional',
    AWS_MAX_ATTEMPTS: '1',
    HTTPS_PROXY: await startConnectProxy(t, new URL(kms.url)),
  }
  return { directory, url: kms.url, issuer, tokenFile, reach }
}

test('a token file and a role’s ARN are all that a client needs', { skip }, async (t) => {
  const { directory, url, issuer, tokenFile, reach } = await start(t)
  const { accessKeyId, secretAccessKey } = readRootAccessKey(directory)
  const root = { ...reach, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey }
  const pod = {
    ...reach,
    AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile,
    AWS_ROLE_ARN: roleArn,
    AWS_ROLE_SESSION_NAME: 'pod-1',
  }
  const trust = {
    Version: '2012-10-17',
    Statement: {
      Effect: 'Allow',
      Principal: { Federated: issuer.arn },
      Action: 'sts:AssumeRoleWithWebIdentity',
      Condition: { StringEquals: { [`${issuer.name}:sub`]: subject, [`${issuer.name}:aud`]: audience } },
    },
  }
  const policy = {
    Version: '2012-10-17',
    Statement: { Effect: 'Allow', Action: 'kms:ListKeys', Resource: '*' },
  }

  await t.test('the administrator registers the issuer and makes a role', async () => {
    const made = await ok(root, [
      ...['iam', 'create-open-id-connect-provider', '--url', issuer.url, '--client-id-list', audience],
      ...['--thumbprint-list', issuer.thumbprint],
    ])
    assert.equal(made['OpenIDConnectProviderArn'], issuer.arn)
    await ok(root, [
      ...['iam', 'create-role', '--role-name', 'mariadb'],
      ...['--assume-role-policy-document', JSON.stringify(trust)],
    ])
    await ok(root, [
      ...['iam', 'put-role-policy', '--role-name', 'mariadb', '--policy-name', 'keys'],
      ...['--policy-document', JSON.stringify(policy)],
    ])
  })

  await t.test('the AWS CLI finds its credentials by the two variables', async () => {
    const identity = await ok(pod, ['sts', 'get-caller-identity'])
    assert.equal(identity['Arn'], 'arn:aws:sts::111122223333:assumed-role/mariadb/pod-1')
    assert.deepEqual((await ok(pod, ['kms', 'list-keys']))['Keys'], [])
    assert.match(
      (await runAws(pod, ['kms', 'create-key'])).stderr,
      /\(AccessDeniedException\).*kms:CreateKey/,
    )
  })

  await t.test('so does boto3', async () => {
    const script = 'import boto3; print(boto3.client("sts").get_caller_identity()["Arn"])'
    const { code, stdout, stderr } = await run(python, ['-c', script], pod)
    assert.equal(code, 0, stderr)
    assert.equal(stdout.trim(), 'arn:aws:sts::111122223333:assumed-role/mariadb/pod-1')
  })

  await t.test('so does the SDK that the agent uses, told where the service is', async () => {
    const script = `
      import { KMSClient, ListKeysCommand } from '@aws-sdk/client-kms'
      import { fromNodeProviderChain } from '@aws-sdk/credential-providers'
      const client = new KMSClient({ region: 'us-east-1', credentials: fromNodeProviderChain() })
      console.log(JSON.stringify((await client.send(new ListKeysCommand({}))).Keys))`
    const { PATH, HOME, AWS_CA_BUNDLE, AWS_EC2_METADATA_DISABLED } = reach
    const environment = {
      ...{ PATH, HOME, AWS_EC2_METADATA_DISABLED, NODE_EXTRA_CA_CERTS: AWS_CA_BUNDLE },
      ...{ AWS_ENDPOINT_URL: url, AWS_REGION: 'us-east-1' },
      ...{ AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile, AWS_ROLE_ARN: roleArn },
    }
    const ran = await run(process.execPath, ['--input-type=module', '--eval', script], environment)
    assert.deepEqual([ran.code, ran.stdout.trim()], [0, '[]'], ran.stderr)
  })

  await t.test('the call itself gives credentials, and says what is wrong with a token', async () => {
    const call = (token: string) => [
      ...['sts', 'assume-role-with-web-identity', '--role-arn', roleArn, '--role-session-name', 'by-hand'],
      ...['--web-identity-token', token],
    ]
    const answer = await ok(reach, call(issuer.token()))
    assert.equal(answer['SubjectFromWebIdentityToken'], subject)
    assert.equal(answer['Provider'], issuer.arn)
    const now = Math.floor(Date.now() / 1000)
    for (const [token, error] of [
      [
        issuer.token({ exp: now - 1 }),
        /\(ExpiredTokenException\).*Token expired: current date\/time \d+ must be/,
      ],
      [issuer.token({ aud: 'another' }), /\(InvalidIdentityToken\).*Incorrect token audience/],
      [
        issuer.token({ sub: 'another' }),
        /\(AccessDenied\).*Not authorized to perform sts:AssumeRoleWithWebIdentity/,
      ],
      [
        issuer.token({ iss: 'https://x.example' }),
        /\(InvalidIdentityToken\).*in your account for https:\/\/x\.example/,
      ],
    ] as const)
      assert.match((await runAws(reach, call(token))).stderr, error)
  })

  await t.test('the service can say who may, and its trail who did', async () => {
    const simulate = (sub: string) =>
      strongroom([
        ...['kms', 'simulate', '--data', directory, '--principal', issuer.arn, '--resource', roleArn],
        ...['--action', 'sts:AssumeRoleWithWebIdentity', '--condition', `${issuer.name}:aud=${audience}`],
        ...['--condition', `${issuer.name}:sub=${sub}`],
      ])
    assert.match((await simulate(subject)).stdout, /allowed/)
    assert.equal((await simulate('another')).code, 1)
    const trail = readTrail(directory).filter(({ eventName }) => eventName === 'AssumeRoleWithWebIdentity')
    assert.ok(trail.length >= 8)
    assert.ok(
      trail.some(({ userIdentity }) =>
        JSON.stringify(userIdentity).includes(`"identityProvider":"${issuer.arn}"`),
      ),
    )
    assert.ok(!JSON.stringify(trail).includes(issuer.token().split('.')[0] ?? ''))
  })
})

test('an issuer whose authority the service was told of needs no thumbprint', async (t) => {
  const scratch = scratchDirectory(t)
  const issuer = await startIssuer(t)
  const authority = join(scratch, 'authority.pem')
  writeFileSync(authority, issuer.authority)
  const directory = join(scratch, 'kms')
  const { url } = await startKms(t, { directory, env: { NODE_EXTRA_CA_CERTS: authority } })
  const config = {
    endpoint: url,
    region: 'us-east-1',
    credentials: readRootAccessKey(directory),
    maxAttempts: 1,
  }
  const iam = new IAMClient(config)
  await iam.send(new CreateOpenIDConnectProviderCommand({ Url: issuer.url, ClientIDList: [audience] }))
  await makeRole(iam, 'mariadb', {
    trust: [{ Principal: { Federated: issuer.arn }, Action: 'sts:AssumeRoleWithWebIdentity' }],
    statements: [],
  })
  const command = new AssumeRoleWithWebIdentityCommand({
    RoleArn: roleArn,
    RoleSessionName: 'pod',
    WebIdentityToken: issuer.token(),
  })
  assert.equal((await new STSClient(config).send(command)).SubjectFromWebIdentityToken, subject)
})

async function ok(
  env: Readonly<Record<string, string>>,
  args: readonly string[],
): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await runAws(env, args)
  assert.equal(code, 0, `aws ${args.join(' ')}: ${stderr}`)
  const value: unknown = stdout === '' ? {} : JSON.parse(stdout)
  assert.ok(typeof value === 'object' && value !== null)
  return { ...value }
}

function runAws(env: Readonly<Record<string, string>>, args: readonly string[]): Promise<Ran> {
  return run(aws, [...args, '--output', 'json'], env)
}

interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

function run(command: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(command, args, { env, cwd: import.meta.dirname, timeout: 60_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr })
    })
  })
}
