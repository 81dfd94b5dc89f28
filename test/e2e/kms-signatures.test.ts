import { CreateKeyCommand, DecryptCommand, EncryptCommand } from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes, randomInt } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import { type Credentials, startTestService, type TestService } from '../support/kms-service.ts'
import { rawCall } from '../support/raw-call.ts'
import { getSession } from '../support/sts-session.ts'

const curl = '/usr/bin/curl'
const skip = existsSync(curl) ? false : 'curl is not installed'
const rootArn = 'arn:aws:iam::111122223333:root'

/** curl's answer; the secret goes in by standard input. */
async function runCurl(credentials: Credentials, scope: string, args: readonly string[]): Promise<string> {
  const child = spawn(curl, ['--silent', '--config', '-', '--aws-sigv4', `aws:amz:${scope}`, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdin.end(`user = "${credentials.accessKeyId}:${credentials.secretAccessKey}"\n`)
  return await text(child.stdout)
}

async function callersOf(service: TestService): Promise<[arn: string, credentials: Credentials][]> {
  const user = await service.makeUser('alice')
  const root = service.clientConfig().credentials
  return [
    [rootArn, root],
    ['arn:aws:iam::111122223333:user/alice', user],
    ['arn:aws:iam::111122223333:user/alice', await getSession(service, user)],
  ]
}

describe("curl's --aws-sigv4", { skip }, () => {
  test('calls KMS, STS and IAM', async (t) => {
    const service = await startTestService(t)
    const { url } = service.current
    const { KeyMetadata } = await service.kms().send(new CreateKeyCommand({}))
    for (const [arn, credentials] of await callersOf(service)) {
      const { sessionToken } = credentials
      const token = sessionToken === undefined ? [] : ['--header', `X-Amz-Security-Token: ${sessionToken}`]
      const kms = await runCurl(credentials, 'us-east-1:kms', [
        ...['--header', 'Content-Type: application/x-amz-json-1.1'],
        ...['--header', 'X-Amz-Target: TrentService.DescribeKey', ...token],
        ...['--data', JSON.stringify({ KeyId: KeyMetadata?.KeyId }), `${url}/`],
      ])
      // No policy allows the user anything, which the service says only to who signed well.
      assert.match(kms, arn === rootArn ? /"KeyState":"Enabled"/ : /^\{"__type":"AccessDeniedException"/)
      const identity = 'Action=GetCallerIdentity&Version=2011-06-15'
      const sts = await runCurl(credentials, 'us-east-1:sts', [...token, '--data', identity, `${url}/`])
      assert.match(sts, new RegExp(`<Arn>${arn}</Arn>`))
      const byGet = await runCurl(credentials, 'us-east-1:sts', [...token, `${url}/?${identity}`])
      assert.match(byGet, new RegExp(`<Arn>${arn}</Arn>`))
      const user = 'Action=GetUser&Version=2010-05-08'
      const iam = await runCurl(credentials, 'us-east-1:iam', [...token, '--data', user, `${url}/`])
      // As at Amazon, GetSessionToken's credentials call IAM only if a code of an MFA device was shown for them.
      const code = sessionToken === undefined ? 'AccessDenied' : 'InvalidClientTokenId'
      assert.match(iam, arn === rootArn ? /<GetUserResult>/ : new RegExp(`<Code>${code}</Code>`))
    }
    const wrong = { ...service.clientConfig().credentials, secretAccessKey: 'wrong' }
    const refused = await runCurl(wrong, 'us-east-1:sts', [
      `${url}/?Action=GetCallerIdentity&Version=2011-06-15`,
    ])
    assert.match(refused, /<Code>SignatureDoesNotMatch<\/Code>/)
  })
})

test('a presigned GetCallerIdentity is a proof of identity', async (t) => {
  const service = await startTestService(t)
  const query = { Action: 'GetCallerIdentity', Version: '2011-06-15' }
  for (const [arn, credentials] of await callersOf(service)) {
    const call = { service: 'sts', method: 'GET', query, credentials, presignedFor: 60 } as const
    const good = await rawCall(service, call)
    assert.match(good.body, new RegExp(`<Arn>${arn}</Arn>`))
    const altered = await rawCall(service, {
      ...call,
      alter: (request) => ({ ...request, target: request.target.replace('Expires=60', 'Expires=61') }),
    })
    assert.match(altered.body, /<Code>SignatureDoesNotMatch<\/Code>/)
  }
})

test('500 signed calls with random bodies over a socket, in both forms: no signature failure', async (t) => {
  const service = await startTestService(t)
  const kms = service.kms()
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  const KeyId = KeyMetadata?.KeyId
  const word = (): string =>
    randomBytes(randomInt(1, 20))
      .toString('latin1')
      .replace(/\p{Cc}/gu, '\t')
  for (let n = 0; n < 150; n++) {
    const Plaintext = randomBytes(randomInt(1, 4097))
    const EncryptionContext = { [`${word()}-`]: `${word()}-` }
    const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext, EncryptionContext }))
    const opened = await kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }))
    assert.deepEqual(Buffer.from(opened.Plaintext ?? []), Plaintext)
  }
  let refusedByParser = 0
  for (let n = 0; n < 200; n++) {
    const answer = await rawCall(service, {
      operation: 'ListKeys',
      body: randomBytes(randomInt(1, 2000)),
      query: { [`${word()}a`]: word(), [`${word()}b`]: [word(), word()] },
      headers: {
        [`x-${n}`]: ` ${word().replace(/[^\x20-\x7e]/g, ' ')} `,
        'x-amz-meta': word().replace(/[^\x20-\x7e]/g, '\t'),
      },
      ...(n % 2 === 0 ? {} : { presignedFor: 60 }),
    })
    assert.match(answer.body, /^\{"__type":"SerializationException"/)
    refusedByParser++
  }
  assert.equal(refusedByParser, 200)
})

for (const minutes of [10, -10]) {
  test(`a client whose clock is ${minutes} minutes off sets it right by the Date header`, async (t) => {
    const service = await startTestService(t)
    const { accessKeyId, secretAccessKey } = service.clientConfig().credentials
    const script = join(import.meta.dirname, '../support/skewed-client.ts')
    const child = spawn(process.execPath, [script, String(minutes), service.current.url], {
      env: { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const answer: unknown = JSON.parse(await text(child.stdout))
    assert.ok(typeof answer === 'object' && answer !== null && 'attempts' in answer && 'refused' in answer)
    assert.deepEqual(answer.attempts, [2, 1, 2])
    assert.match(
      String(answer.refused),
      minutes > 0
        ? /^InvalidSignatureException: Signature not yet current: .* \+ 5 min\.\)$/
        : /^InvalidSignatureException: Signature expired: .* - 5 min\.\)$/,
    )
  })
}
