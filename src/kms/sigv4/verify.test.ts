import assert from 'node:assert/strict'
import { createHmac, hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { z } from 'zod'
import { AwsException } from '../protocol/exceptions.ts'
import { canonicalRequestHash, headerValues, type WireRequest } from './canonical-request.ts'
import { deriveSigningKey, SigningKeys } from './signing-keys.ts'
import { verifySignature, type Verifier } from './verify.ts'

const published = z
  .object({
    accessKeyId: z.string(),
    secretAccessKey: z.string(),
    now: z.string(),
    signingKeyOfListUsers: z.string(),
    vectors: z.array(
      z.object({
        name: z.string(),
        service: z.string(),
        method: z.string(),
        target: z.string(),
        headers: z.array(z.tuple([z.string(), z.string()])),
        body: z.string(),
      }),
    ),
  })
  .parse(
    JSON.parse(
      readFileSync(new URL('../../../test/vectors/sigv4/aws-published.json', import.meta.url), 'utf8'),
    ),
  )

const now = new Date(published.now)
const secret = (): Buffer => Buffer.from(published.secretAccessKey)
const known = published.accessKeyId

function verifier(): Verifier {
  return {
    principalOf: (accessKeyId) =>
      accessKeyId === known
        ? {
            type: 'Root',
            accountId: '1',
            arn: 'arn:root',
            principalId: '1',
            accessKeyId,
            tags: new Map(),
            session: undefined,
          }
        : undefined,
    sessions: { find: () => undefined },
    signingKeys: new SigningKeys(secret),
  }
}

function wire(vector: (typeof published.vectors)[number]): WireRequest {
  return {
    method: vector.method,
    target: vector.target,
    rawHeaders: vector.headers.flat(),
    body: Buffer.from(vector.body),
  }
}

function vectorNamed(name: string): (typeof published.vectors)[number] {
  const vector = published.vectors.find((one) => one.name === name)
  assert.ok(vector)
  return vector
}

const scope = { service: 'service', regions: ['us-east-1'] }

test("accepts AWS's published signatures", () => {
  let ran = 0
  for (const vector of published.vectors) {
    const { principal } = verifySignature(
      wire(vector),
      { ...scope, service: vector.service },
      verifier(),
      now,
    )
    assert.equal(principal.accessKeyId, known, vector.name)
    ran++
  }
  assert.equal(ran, 17)
})

test("derives AWS's published signing key", () => {
  const derived = deriveSigningKey(secret(), { date: '20150830', region: 'us-east-1', service: 'iam' })
  assert.equal(derived.toString('hex'), published.signingKeyOfListUsers)
})

test('refuses every published request when any part of it is other than signed', () => {
  for (const vector of published.vectors) {
    const expected = { ...scope, service: vector.service }
    const request = wire(vector)
    for (const altered of [
      { ...request, method: 'PUT' },
      { ...request, target: `${request.target}x` },
      { ...request, body: Buffer.from('other') },
      {
        ...request,
        rawHeaders: request.rawHeaders.map((text) => text.replace('amazonaws.com', 'example.com')),
      },
    ]) {
      assert.equal(refusal(altered, { expected }).exceptionName, 'InvalidSignatureException', vector.name)
    }
  }
})

test('says what is wrong with a signature', () => {
  const vanilla = wire(vectorNamed('get-vanilla'))
  const edit = (from: string | RegExp, to: string): WireRequest => ({
    ...vanilla,
    rawHeaders: vanilla.rawHeaders.map((text) => text.replace(from, to)),
  })
  const minutes = (count: number): Date => new Date(now.getTime() + count * 60_000)
  const cases: [string, Parameters<typeof refusal>, string, RegExp][] = [
    [
      'no header',
      [{ ...vanilla, rawHeaders: ['Host', 'a'] }],
      'MissingAuthenticationTokenException',
      /missing Auth/,
    ],
    ['another algorithm', [edit('AWS4-HMAC-SHA256', 'AWS4-X')], 'IncompleteSignatureException', /algorithm/],
    ['no signature', [edit(/, Signature=.*/, '')], 'IncompleteSignatureException', /'Signature'/],
    ['short signature', [edit(/(Signature=.*).{2}$/, '$1')], 'IncompleteSignatureException', /./],
    [
      'nothing but the algorithm',
      [edit(/^(AWS4-HMAC-SHA256).*/, '$1 a=b')],
      'IncompleteSignatureException',
      /^Authorization header requires 'Credential' parameter. .*'Signature' parameter. .*'SignedHeaders' parameter.$/,
    ],
    [
      'signature not hexadecimal',
      [edit(/Signature=5f/, 'Signature=zz')],
      'IncompleteSignatureException',
      /64/,
    ],
    ['scope too short', [edit('/aws4_request', '')], 'IncompleteSignatureException', /Credential/],
    ['no date', [edit('X-Amz-Date', 'X-Date')], 'IncompleteSignatureException', /X-Amz-Date/],
    ['not a date', [edit(/^2015.*/, 'yesterday')], 'IncompleteSignatureException', /YYYYMMDD/],
    ['host not signed', [edit('=host;', '=')], 'InvalidSignatureException', /'Host' must be/],
    [
      'signed header missing',
      [edit('=host;', '=host;x-not-here;')],
      'InvalidSignatureException',
      /x-not-here/,
    ],
    [
      'x-amz header not signed',
      [{ ...vanilla, rawHeaders: [...vanilla.rawHeaders, 'X-Amz-Target', 'T.X'] }],
      'InvalidSignatureException',
      /'x-amz-target' must be/,
    ],
    ['another region', [edit('us-east-1', 'eu-west-1')], 'InvalidSignatureException', /not 'eu-west-1'/],
    [
      'another service',
      [edit('/service/', '/s3/')],
      'InvalidSignatureException',
      /correct service: 'service'/,
    ],
    [
      'another day',
      [edit('/20150830/', '/20150831/')],
      'InvalidSignatureException',
      /'20150831' != '20150830'/,
    ],
    [
      'unknown access key',
      [edit('AKIDEXAMPLE', 'AKIDEXAMPLF')],
      'UnrecognizedClientException',
      /security token/,
    ],
    [
      'too old',
      [vanilla, { at: minutes(5.1) }],
      'InvalidSignatureException',
      /^Signature expired: 20150830T123600Z/,
    ],
    ['too new', [vanilla, { at: minutes(-5.1) }], 'InvalidSignatureException', /^Signature not yet current/],
    [
      'a signed header named twice',
      [edit('SignedHeaders=host', 'SignedHeaders=host;host')],
      'IncompleteSignatureException',
      /twice/,
    ],
    [
      'repeated Host',
      [{ ...vanilla, rawHeaders: ['Host', 'b', ...vanilla.rawHeaders] }],
      'InvalidSignatureException',
      /./,
    ],
  ]
  for (const [name, args, exceptionName, message] of cases) {
    const exception = refusal(...args)
    assert.equal(exception.exceptionName, exceptionName, name)
    assert.match(exception.message, message, name)
  }
  assert.equal(cases.length, 20)
  for (const within of [4.9, -4.9]) verifySignature(vanilla, scope, verifier(), minutes(within))
})

test('takes the Date header where there is no X-Amz-Date, in both of its forms', () => {
  const at = new Date('2030-01-02T03:04:05Z')
  const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()
  const key = ['20300102', 'us-east-1', 'service', 'aws4_request'].reduce<string | Buffer>(
    hmac,
    `AWS4${published.secretAccessKey}`,
  )
  for (const date of ['Wed, 02 Jan 2030 03:04:05 GMT', '20300102T030405Z']) {
    const canonical = `POST\n/\n\ndate:${date}\nhost:a\n\ndate;host\n${hash('sha256', 'x')}`
    const signed = `AWS4-HMAC-SHA256\n20300102T030405Z\n20300102/us-east-1/service/aws4_request\n${hash('sha256', canonical)}`
    const authorization =
      `AWS4-HMAC-SHA256 Credential=${known}/20300102/us-east-1/service/aws4_request,` +
      `SignedHeaders=date;host,Signature=${hmac(key, signed).toString('hex')}`
    const rawHeaders = ['Host', 'a', 'Date', date, 'Authorization', authorization]
    const request = { method: 'POST', target: '/', rawHeaders, body: Buffer.from('x') }
    assert.equal(verifySignature(request, scope, verifier(), at).principal.accessKeyId, known)
    const late = new Date(at.getTime() + 301_000)
    assert.match(refusal(request, { at: late }).message, /^Signature expired: 20300102T030405Z/)
    const other = { ...request, rawHeaders: rawHeaders.with(3, date.replace('05', '06')) }
    assert.match(refusal(other, { at }).message, /does not match/)
  }
})

test('takes linear time for headers with long runs of spaces', () => {
  const vanilla = wire(vectorNamed('get-vanilla'))
  const time = (value: string): number => {
    const request = { ...vanilla, rawHeaders: [...vanilla.rawHeaders, 'A', value] }
    const times = Array.from({ length: 3 }, () => {
      const start = performance.now()
      canonicalRequestHash(request, {
        headers: headerValues(request.rawHeaders),
        signedHeaders: ['a', 'host'],
        bodyHash: '',
      })
      return performance.now() - start
    })
    return Math.min(...times)
  }
  const spaces = time(`a${' '.repeat(200_000)}b`)
  assert.ok(spaces < 20 * time(`a${'x '.repeat(100_000)}b`) + 5)
})

test('the cache of signing keys stays within its bounds and zeroes what it drops', () => {
  const keys = new SigningKeys(secret, 2)
  const first = keys.get('A', { date: '20150830', region: 'r', service: 's' })
  for (const service of ['a', 'b', 'c']) keys.get('A', { date: '20150830', region: 'r', service })
  assert.equal(keys.size, 2)
  assert.deepEqual(first, Buffer.alloc(32))
})

function refusal(request: WireRequest, options: { expected?: typeof scope; at?: Date } = {}): AwsException {
  try {
    verifySignature(request, options.expected ?? scope, verifier(), options.at ?? now)
  } catch (error) {
    assert.ok(error instanceof AwsException)
    return error
  }
  assert.fail('the signature was accepted')
}
