import { fromTemporaryCredentials } from '@aws-sdk/credential-providers'
import { CreateKeyCommand, EncryptCommand, ListKeysCommand, PutKeyPolicyCommand } from '@aws-sdk/client-kms'
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import jsqr from 'jsqr'
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { PNG } from 'pngjs'
import { type Credentials, startTestService, type TestService } from '../support/kms-service.ts'
import { enableDevice } from '../support/sts-session.ts'
import { scratchDirectory } from '../support/scratch.ts'

const aws = '/usr/bin/aws'
const python = '/usr/bin/python3'
const curl = '/usr/bin/curl'
const missing = [aws, python, curl].filter((path) => !existsSync(path))
const skip = missing.length === 0 ? false : `not installed: ${missing.join(', ')}`

const accountArn = 'arn:aws:iam::111122223333'
const mfa = { Bool: { 'aws:MultiFactorAuthPresent': 'true' } }

test('a person with an authenticator app and the AWS CLI', { skip }, async (t) => {
  const service = await startTestService(t)
  const directory = scratchDirectory(t)
  const root = profile(directory, 'root', service.clientConfig().credentials)
  const person = profile(directory, 'person', await service.makeUser('dba'))
  const cli = (credentialsFile: string, ...args: string[]) => runAws(service, credentialsFile, args)
  const key = await keyThatDemandsMfa(service)
  const blob = await encrypted(service, key, directory)
  const decrypt = ['kms', 'decrypt', '--ciphertext-blob', `fileb://${blob}`]
  let session = ''

  await t.test('gets a device, as a seed to type in or a picture to scan', async () => {
    const seed = join(directory, 'seed')
    const picture = join(directory, 'picture.png')
    const create = ['iam', 'create-virtual-mfa-device', '--virtual-mfa-device-name']
    const method = (name: string, outfile: string) => ['--bootstrap-method', name, '--outfile', outfile]
    await cli(root, ...create, 'typed', ...method('Base32StringSeed', seed))
    await cli(root, ...create, 'scanned', ...method('QRCodePNG', picture))
    assert.match(readFileSync(seed, 'utf8'), /^[A-Z2-7]{64}$/)
    const scanned = scan(picture)
    assert.match(
      scanned,
      /^otpauth:\/\/totp\/Strongroom:scanned%40111122223333\?secret=[A-Z2-7]{64}&issuer=Strongroom$/,
    )
    writeFileSync(join(directory, 'scanned-seed'), new URL(scanned).searchParams.get('secret') ?? '')
  })

  await t.test('enables both with two codes each', async () => {
    for (const [name, seed] of [
      ['typed', 'seed'],
      ['scanned', 'scanned-seed'],
    ] as const) {
      const [first = '', second = ''] = await codes(join(directory, seed), -1, 0)
      await cli(
        root,
        'iam',
        'enable-mfa-device',
        '--user-name',
        'dba',
        '--serial-number',
        serial(name),
        '--authentication-code1',
        first,
        '--authentication-code2',
        second,
      )
    }
    const { MFADevices } = await cli(root, 'iam', 'list-mfa-devices', '--user-name', 'dba')
    assert.deepEqual(serials(MFADevices), [serial('scanned'), serial('typed')])
  })

  await t.test('cannot use the master key without a code', async () => {
    await refused('AccessDeniedException', cli(person, ...decrypt))
    const withoutCode = await cli(person, 'sts', 'get-session-token')
    await refused('AccessDeniedException', cli(profile(directory, 'plain', withoutCode), ...decrypt))
  })

  await t.test('decrypts with a session that a code was shown for, once', async () => {
    const [code = ''] = await codes(join(directory, 'seed'), 1)
    const get = ['sts', 'get-session-token', '--serial-number', serial('typed'), '--token-code', code]
    session = profile(directory, 'session', await cli(person, ...get, '--duration-seconds', '900'))
    const { Plaintext } = await cli(session, ...decrypt)
    assert.equal(Buffer.from(String(Plaintext), 'base64').toString(), 'payroll')
    await refused('AccessDenied', cli(person, ...get))
  })

  await t.test('uses the session with curl too', async () => {
    const { accessKeyId, secretAccessKey, sessionToken = '' } = readProfile(session)
    const config = [
      `url = "${service.current.url}/"`,
      'aws-sigv4 = "aws:amz:us-east-1:sts"',
      `user = "${accessKeyId}:${secretAccessKey}"`,
      `header = "X-Amz-Security-Token: ${sessionToken}"`,
      'data = "Action=GetCallerIdentity&Version=2011-06-15"',
    ]
    const { stdout } = await run(curl, ['--silent', '--config', '-'], { input: `${config.join('\n')}\n` })
    assert.ok(stdout.includes(`<Arn>${accountArn}:user/dba</Arn>`), stdout)
    const withoutToken = config.filter((line) => !line.startsWith('header')).join('\n')
    const answer = await run(curl, ['--silent', '--config', '-'], { input: `${withoutToken}\n` })
    assert.ok(answer.stdout.includes('<Code>InvalidClientTokenId</Code>'), answer.stdout)
  })

  await t.test('becomes a role that demands a code, as botocore’s credential provider does it', async () => {
    await service.makeRole('operator', [{ Principal: { AWS: `${accountArn}:user/dba` }, Condition: mfa }])
    const [TokenCode = ''] = await codes(join(directory, 'scanned-seed'), 1)
    const input = JSON.stringify({
      ...readProfile(person),
      url: service.current.url,
      roleArn: `${accountArn}:role/operator`,
      serialNumber: serial('scanned'),
      code: TokenCode,
    })
    const { stdout, stderr } = await run(python, ['-c', assumeWithBotocore], { input })
    assert.equal(stdout.trim(), 'arn:aws:sts::111122223333:assumed-role/operator/payroll', stderr)
  })
})

test('the AWS SDK becomes a role with a code', async (t) => {
  const service = await startTestService(t)
  const masterCredentials = await service.makeUser('dba')
  const trust = { Principal: { AWS: `${accountArn}:user/dba` }, Condition: mfa }
  const RoleArn = await service.makeRole('operator', [trust], { Action: 'kms:ListKeys' })
  const { serialNumber: SerialNumber, app } = await enableDevice(service.iam(), 'dba', 'phone')
  const { endpoint, region } = service.clientConfig()
  const provide = fromTemporaryCredentials({
    masterCredentials,
    params: { RoleArn, SerialNumber, RoleSessionName: 'sdk' },
    mfaCodeProvider: () => Promise.resolve(app.code(new Date(), 30)),
    clientConfig: { endpoint, region },
  })
  const { accessKeyId, secretAccessKey, sessionToken = '' } = await provide()
  const credentials = { accessKeyId, secretAccessKey, sessionToken }
  const { Arn } = await service.sts(credentials).send(new GetCallerIdentityCommand({}))
  assert.equal(Arn, 'arn:aws:sts::111122223333:assumed-role/operator/sdk')
  await service.kms(credentials).send(new ListKeysCommand({}))
})

/** As MariaDB's guide to its AWS key management plugin has it: whoever uses the key has shown a code. */
async function keyThatDemandsMfa(service: TestService): Promise<string> {
  const kms = service.kms()
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  const KeyId = KeyMetadata?.KeyId ?? assert.fail('no key')
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Principal: { AWS: `${accountArn}:root` }, Action: 'kms:*', Resource: '*' },
      {
        Effect: 'Allow',
        Principal: { AWS: `${accountArn}:user/dba` },
        Action: ['kms:Decrypt', 'kms:GenerateDataKeyWithoutPlaintext'],
        Resource: '*',
        Condition: mfa,
      },
    ],
  })
  await kms.send(new PutKeyPolicyCommand({ KeyId, Policy }))
  return KeyId
}

async function encrypted(service: TestService, KeyId: string, directory: string): Promise<string> {
  const Plaintext = Buffer.from('payroll')
  const { CiphertextBlob } = await service.kms().send(new EncryptCommand({ KeyId, Plaintext }))
  const path = join(directory, 'blob')
  writeFileSync(path, CiphertextBlob ?? assert.fail('no blob'))
  return path
}

const assumeWithBotocore = `
import json, sys
try:
    from botocore.credentials import AssumeRoleCredentialFetcher, Credentials
    from botocore.session import Session
except ImportError:
    from awscli.botocore.credentials import AssumeRoleCredentialFetcher, Credentials
    from awscli.botocore.session import Session
given = json.load(sys.stdin)
session = Session()
def client(name, **more):
    return session.create_client(name, endpoint_url=given['url'], region_name='us-east-1', **more)
fetcher = AssumeRoleCredentialFetcher(
    client,
    Credentials(given['accessKeyId'], given['secretAccessKey']),
    given['roleArn'],
    extra_args={'SerialNumber': given['serialNumber'], 'RoleSessionName': 'payroll'},
    mfa_prompter=lambda prompt: given['code'],
)
got = fetcher.fetch_credentials()
sts = client(
    'sts',
    aws_access_key_id=got['access_key'],
    aws_secret_access_key=got['secret_key'],
    aws_session_token=got['token'],
)
print(sts.get_caller_identity()['Arn'])
`

/** An authenticator app that shares nothing with the service: the codes of so many steps from now. */
const authenticator = `
import base64, hashlib, hmac, struct, sys, time
seed = base64.b32decode(open(sys.argv[1]).read())
for steps in sys.argv[2:]:
    counter = struct.pack('>Q', int(time.time()) // 30 + int(steps))
    digest = hmac.new(seed, counter, hashlib.sha1).digest()
    offset = digest[-1] & 15
    print('%06d' % ((struct.unpack('>I', digest[offset:offset + 4])[0] & 0x7fffffff) % 1000000))
`

async function codes(seedFile: string, ...steps: number[]): Promise<string[]> {
  const { stdout } = await run(python, ['-c', authenticator, seedFile, ...steps.map(String)])
  return stdout.trim().split('\n')
}

function scan(path: string): string {
  const { data, width, height } = PNG.sync.read(readFileSync(path))
  return (
    jsqr.default(new Uint8ClampedArray(data), width, height, { inversionAttempts: 'dontInvert' })?.data ??
    assert.fail('no QR code')
  )
}

function serial(name: string): string {
  return `${accountArn}:mfa/${name}`
}

function serials(devices: unknown): unknown[] {
  assert.ok(Array.isArray(devices))
  return devices.map((device) => object(device)['SerialNumber'])
}

/** A credentials file, of an access key or of what the AWS CLI shows of STS's answer. */
function profile(directory: string, name: string, given: object): string {
  const { Credentials: issued } = object(given)
  const lines = Object.entries(issued === undefined ? given : object(issued)).flatMap(([member, value]) => {
    const setting = settings.get(member.toLowerCase())
    return setting === undefined ? [] : `${setting}=${String(value)}`
  })
  const path = join(directory, name)
  writeFileSync(path, `[default]\n${lines.join('\n')}\n`, { mode: 0o600 })
  return path
}

const settings = new Map([
  ['accesskeyid', 'aws_access_key_id'],
  ['secretaccesskey', 'aws_secret_access_key'],
  ['sessiontoken', 'aws_session_token'],
])

function readProfile(path: string): Credentials {
  const content = readFileSync(path, 'utf8')
  const value = (name: string): string | undefined => new RegExp(`^${name}=(.+)$`, 'm').exec(content)?.[1]
  const sessionToken = value('aws_session_token')
  return {
    accessKeyId: value('aws_access_key_id') ?? '',
    secretAccessKey: value('aws_secret_access_key') ?? '',
    ...(sessionToken === undefined ? {} : { sessionToken }),
  }
}

async function runAws(
  service: TestService,
  credentialsFile: string,
  args: readonly string[],
): Promise<Record<string, unknown>> {
  const fixed = ['--endpoint-url', service.current.url, '--region', 'us-east-1', '--output', 'json']
  const env = { AWS_SHARED_CREDENTIALS_FILE: credentialsFile, AWS_EC2_METADATA_DISABLED: 'true' }
  const { code, stdout, stderr } = await run(aws, [...fixed, '--no-cli-pager', ...args], { env })
  if (code !== 0) throw new Error(stderr)
  return stdout === '' ? {} : object(JSON.parse(stdout))
}

async function refused(error: string, call: Promise<unknown>): Promise<void> {
  await assert.rejects(
    call,
    (thrown: unknown) => thrown instanceof Error && thrown.message.includes(`(${error})`),
  )
}

async function run(
  program: string,
  args: readonly string[],
  { input = '', env = {} }: { input?: string; env?: Record<string, string> } = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(program, args, { env: { PATH: '/usr/bin:/bin', HOME: '/nonexistent', ...env } })
  child.stdin.end(input)
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  return { code, stdout, stderr }
}

function object(value: unknown): Record<string, unknown> {
  assert.ok(typeof value === 'object' && value !== null)
  return { ...value }
}
