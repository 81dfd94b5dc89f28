import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { once } from 'node:events'
import type { TlsCall, TlsSite } from './kms-tls-site.ts'
import type { SecretSearch } from './secret-search.ts'
import type { Used } from './secret-uses.ts'

type Case = readonly [what: string, call: (secret: string) => TlsCall, size?: number]

/**
 * For tests: sends requests that are refused, each with a secret of its own where one does not belong or where it does
 * no good, and has it looked for. Returns all answers.
 */
export async function refuseEverySecret(
  site: TlsSite,
  search: SecretSearch,
  used: Used,
): Promise<Map<string, string>> {
  const answers = new Map<string, string>()
  for (const [what, call, size = 24] of cases(used, site)) {
    const secret = marker()
    search.add(`secret in: ${what}`, secret)
    search.add(`bytes in: ${what}`, Buffer.from(secret, 'base64'))
    answers.set(what, await site.raw(call(secret.repeat(size / 24))))
  }
  for (const [what, text] of brokenRequests(search)) answers.set(what, await overPlainTcp(site, text))
  return answers
}

/** Base64, as plaintexts are on the wire, and without the characters that have a meaning in a query or a header. */
function marker(): string {
  for (;;) {
    const text = randomBytes(24).toString('base64')
    if (!/[+/]/.test(text)) return text
  }
}

function cases({ keyId, importedKeyId, serialNumber, alice }: Used, { root }: TlsSite): Case[] {
  const encrypt = (body: string, more: TlsCall = {}): TlsCall => ({ operation: 'Encrypt', body, ...more })
  const plaintext = (secret: string): string => JSON.stringify({ KeyId: keyId, Plaintext: secret })
  const form = (service: 'iam' | 'sts', parameters: Record<string, string>): TlsCall => ({
    service,
    body: new URLSearchParams({
      Version: service === 'iam' ? '2010-05-08' : '2011-06-15',
      ...parameters,
    }).toString(),
  })
  const withWebIdentity = (secret: string): TlsCall => ({
    ...form('sts', {
      Action: 'AssumeRoleWithWebIdentity',
      RoleArn: 'arn:aws:iam::111122223333:role/none',
      RoleSessionName: 'pod',
      WebIdentityToken: secret,
    }),
    unsigned: true,
  })
  return [
    ['a body that is cut short', (secret) => encrypt(plaintext(secret).slice(0, -2))],
    ['a body that is no JSON', (secret) => encrypt(`Plaintext: ${secret}`)],
    ['a body that is a string', (secret) => encrypt(JSON.stringify(secret))],
    [
      'a body that is no UTF-8',
      (secret) => encrypt(Buffer.concat([Buffer.from([255, 254]), Buffer.from(secret)]).toString('latin1')),
    ],
    ['a plaintext twice', (secret) => encrypt(`{"Plaintext":"${secret}","Plaintext":"${secret}"}`)],
    ['a plaintext in a list', (secret) => encrypt(JSON.stringify({ KeyId: keyId, Plaintext: [secret] }))],
    [
      'a plaintext that is no base64',
      (secret) => encrypt(JSON.stringify({ KeyId: keyId, Plaintext: `${secret}!` })),
    ],
    ['a plaintext that is too long', (secret) => encrypt(plaintext(secret)), 24 * 200],
    ['a body that is too large', (secret) => encrypt(plaintext(secret)), 24 * 40_000],
    [
      'a member that nobody knows',
      (secret) => encrypt(JSON.stringify({ KeyId: keyId, PlainText: secret, Plaintext: '' })),
    ],
    [
      'a plaintext for a key that is not there',
      (secret) => encrypt(JSON.stringify({ KeyId: 'nokey', Plaintext: secret })),
    ],
    [
      'a plaintext with a wrong signature',
      (secret) =>
        encrypt(plaintext(''), { alter: (sent) => ({ ...sent, body: Buffer.from(plaintext(secret)) }) }),
    ],
    ['a plaintext without a signature', (secret) => encrypt(plaintext(secret), { unsigned: true })],
    [
      'a plaintext for an unknown operation',
      (secret) => ({ operation: 'Frobnicate', body: plaintext(secret) }),
    ],
    [
      'a message for an operation that is not offered',
      (secret) => ({ operation: 'Sign', body: JSON.stringify({ KeyId: keyId, Message: secret }) }),
    ],
    [
      'a blob that is none',
      (secret) => ({ operation: 'Decrypt', body: JSON.stringify({ CiphertextBlob: secret }) }),
    ],
    [
      'key material with a wrong token',
      (secret) => ({
        operation: 'ImportKeyMaterial',
        body: JSON.stringify({
          KeyId: importedKeyId,
          EncryptedKeyMaterial: secret,
          ImportToken: secret,
          ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
        }),
      }),
    ],
    [
      'a grant token that is none',
      (secret) => encrypt(JSON.stringify({ KeyId: keyId, Plaintext: 'eA==', GrantTokens: [secret] })),
    ],
    ['a header', (secret) => encrypt(plaintext(''), { headers: { 'x-plaintext': secret } })],
    [
      'a session token',
      (secret) => encrypt(plaintext(''), { credentials: { ...alice, sessionToken: secret } }),
    ],
    [
      'a wrong secret',
      (secret) => encrypt(plaintext(''), { credentials: { ...alice, secretAccessKey: secret } }),
    ],
    [
      'a secret in the place of the access key id',
      (secret) => encrypt(plaintext(''), { credentials: { accessKeyId: secret, secretAccessKey: 'x' } }),
    ],
    [
      'an Authorization header that is none',
      (secret) =>
        encrypt(plaintext(''), {
          alter: (sent) => ({ ...sent, headers: { ...sent.headers, authorization: `Bearer ${secret}` } }),
        }),
    ],
    [
      'a presigned request with another secret',
      (secret) => ({
        presigned: true,
        method: 'GET',
        service: 'sts',
        query: { Action: 'GetCallerIdentity', Version: '2011-06-15' },
        credentials: { ...root, secretAccessKey: secret },
      }),
    ],
    ['a query', (secret) => encrypt(plaintext(''), { query: { Plaintext: secret } })],
    [
      'a query without a signature',
      (secret) => ({ method: 'GET', unsigned: true, query: { Secret: secret } }),
    ],
    ['a path', (secret) => ({ method: 'GET', path: `/${secret}` })],
    ['a target that is none', (secret) => ({ ...encrypt(''), headers: { 'x-amz-target': secret } })],
    ['an action that is none', (secret) => form('iam', { Action: secret })],
    [
      'a member of another operation of IAM',
      (secret) => form('iam', { Action: 'CreateAccessKey', UserName: 'nobody', SecretAccessKey: secret }),
    ],
    [
      'an MFA code that is too long',
      (secret) => form('sts', { Action: 'GetSessionToken', SerialNumber: serialNumber, TokenCode: secret }),
    ],
    ['a web identity token that is none', withWebIdentity],
    ['a web identity token that is too long', withWebIdentity, 24 * 1000],
    [
      'MFA codes to enable a device',
      (secret) =>
        form('iam', {
          Action: 'EnableMFADevice',
          UserName: 'alice',
          SerialNumber: serialNumber,
          AuthenticationCode1: secret,
          AuthenticationCode2: secret,
        }),
    ],
  ]
}

/** What is no HTTP, and HTTP where TLS is wanted. */
function brokenRequests(search: SecretSearch): [what: string, text: string][] {
  const requests: [string, (secret: string) => string][] = [
    ['HTTP where TLS is spoken', (secret) => `POST / HTTP/1.1\r\nHost: x\r\nX-Secret: ${secret}\r\n\r\n`],
    ['bytes that are nothing', (secret) => `\u0016\u0003\u0001${secret}\r\n\r\n`],
  ]
  return requests.map(([what, text]) => {
    const secret = marker()
    search.add(`secret in: ${what}`, secret)
    return [what, text(secret)]
  })
}

async function overPlainTcp({ url }: TlsSite, text: string): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  const received: Buffer[] = []
  socket.on('data', (part: Buffer) => received.push(part))
  // It may be reset: that it ends is enough.
  socket.on('error', () => undefined)
  const closed = once(socket, 'close')
  socket.end(text)
  await closed
  return Buffer.concat(received).toString('latin1')
}
