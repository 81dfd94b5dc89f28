import { CreateKeyCommand } from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startTestService } from '../../test/support/kms-service.ts'
import { type RawAnswer, type RawCall, rawCall } from '../../test/support/raw-call.ts'
import type { SignedRequest } from '../../test/support/signer.ts'

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const identity = 'Action=GetCallerIdentity&Version=2011-06-15'
const withHeader =
  (name: string, change: (value: string) => string | undefined) =>
  (request: SignedRequest): SignedRequest => {
    const { [name]: value = '', ...headers } = request.headers
    const changed = change(value)
    return { ...request, headers: changed === undefined ? headers : { ...headers, [name]: changed } }
  }

describe('each way in which a request can be wrong', () => {
  const unknownKey = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'x' }
  const temporary = { accessKeyId: 'ASIAIOSFODNN7EXAMPLE', secretAccessKey: 'x', sessionToken: 'x' }
  const withoutSignature = withHeader('authorization', () => undefined)
  const halfSignature = withHeader('authorization', (value) => value.replace(/, SignedHeaders=[^,]*/, ''))
  const oldSignature = withHeader('authorization', (value) =>
    value.replace(/.$/, (c) => (c === '0' ? '1' : '0')),
  )
  const table: [name: string, call: RawCall, json: string, query: string, message: RegExp][] = [
    [
      'no signature',
      { alter: withoutSignature },
      '400 MissingAuthenticationTokenException',
      '403 MissingAuthenticationToken',
      /missing/,
    ],
    [
      'half a signature',
      { alter: halfSignature },
      '400 IncompleteSignatureException',
      '400 IncompleteSignature',
      /'SignedHeaders'/,
    ],
    [
      'another signature',
      { alter: oldSignature },
      '400 InvalidSignatureException',
      '403 SignatureDoesNotMatch',
      /does not match/,
    ],
    [
      'another region',
      { region: 'eu-west-9' },
      '400 InvalidSignatureException',
      '403 SignatureDoesNotMatch',
      /valid region, not 'eu-west-9'/,
    ],
    [
      'unknown access key',
      { credentials: unknownKey },
      '400 UnrecognizedClientException',
      '403 InvalidClientTokenId',
      /security token included in the request is invalid/,
    ],
    [
      'unknown session',
      { credentials: temporary },
      '400 UnrecognizedClientException',
      '403 InvalidClientTokenId',
      /security token included in the request is invalid/,
    ],
    [
      'another path',
      { path: '/other' },
      '400 UnknownOperationException',
      '400 UnknownOperationException',
      /POST \//,
    ],
    [
      'another method',
      { method: 'PUT' },
      '400 UnknownOperationException',
      '400 UnknownOperationException',
      /POST \//,
    ],
    [
      'too large a body',
      { body: 'x'.repeat(1024 * 1024 + 1) },
      '413 RequestEntityTooLargeException',
      '413 RequestEntityTooLargeException',
      /1048576 bytes/,
    ],
  ]

  test('has its error, in JSON and in XML', async (t) => {
    const service = await startTestService(t)
    for (const [name, call, json, query, message] of table) {
      const inJson = await rawCall(service, { operation: 'ListKeys', body: '{}', ...call })
      assert.equal(`${inJson.status} ${jsonCode(inJson)}`, json, name)
      assert.match(inJson.body, message, name)
      const inXml = await rawCall(service, { service: 'sts', body: identity, ...call })
      assert.equal(`${inXml.status} ${codeOf(inXml)}`, query, name)
      assert.match(inXml.body.replaceAll('&#38;', '&'), message, name)
    }
    assert.equal(table.length, 9)
  })

  test('tells unknown operations apart from those that are not offered', async (t) => {
    const service = await startTestService(t)
    const names =
      'ConnectCustomKeyStore CreateCustomKeyStore DeleteCustomKeyStore DeriveSharedSecret DescribeCustomKeyStores ' +
      'DisconnectCustomKeyStore GenerateDataKeyPair GenerateDataKeyPairWithoutPlaintext GenerateMac GetPublicKey Sign ' +
      'UpdateCustomKeyStore Verify VerifyMac'
    for (const operation of names.split(' ')) {
      const answer = await rawCall(service, { operation, body: '{}' })
      assert.equal(jsonCode(answer), 'UnsupportedOperationException')
      assert.match(answer.body, new RegExp(`"${operation} is not offered by this service\\."`))
    }
    assert.equal(names.split(' ').length, 14)
    const unknown: [call: RawCall, status: number, code: string, message: RegExp][] = [
      [{ operation: 'Nothing' }, 400, 'UnknownOperationException', /Nothing is not an operation of kms/],
      [{ operation: 'encrypt' }, 400, 'UnknownOperationException', /encrypt/],
      [{ operation: 'a.Encrypt' }, 400, 'UnknownOperationException', /names no operation/],
      [{ operation: '' }, 400, 'UnknownOperationException', /names no operation/],
      [
        { operation: 'ListKeys', headers: { 'x-amz-target': 'ListKeys' } },
        400,
        'UnknownOperationException',
        /names no/,
      ],
      [
        { operation: 'ListKeys', headers: { 'content-type': 'text/plain' } },
        400,
        'UnknownOperationException',
        /Content-Type application/,
      ],
      [
        { operation: 'ListKeys', headers: { 'content-type': 'application/x-amz-json-1.12' } },
        400,
        'UnknownOperationException',
        /Content-Type application/,
      ],
      [
        { operation: 'ListKeys', method: 'GET', query: { a: 'b' } },
        400,
        'UnknownOperationException',
        /is a POST/,
      ],
      [
        { service: 'sts', body: 'Action=Nothing&Version=2011-06-15' },
        400,
        'InvalidAction',
        /operation Nothing for version 2011-06-15/,
      ],
      [
        { service: 'sts', body: 'Action=GetUser&Version=2011-06-15' },
        400,
        'InvalidAction',
        /GetUser for version 2011-06-15/,
      ],
      [{ service: 'sts', body: 'Action=GetUser' }, 400, 'InvalidAction', /for version NO_VERSION_SPECIFIED/],
      [{ service: 'sts', body: 'Action=GetUser&Version=1' }, 400, 'InvalidAction', /for version 1</],
      [{ service: 'sts', body: '' }, 400, 'MissingAuthenticationTokenException', /names no operation/],
    ]
    for (const [call, status, code, message] of unknown) {
      const answer = await rawCall(service, call)
      assert.deepEqual([answer.status, codeOf(answer)], [status, code], JSON.stringify(call))
      assert.match(answer.body, message)
    }
    assert.equal(unknown.length, 13)
  })
})

describe('answers', () => {
  test('carry the request id and the date, and are not to be kept', async (t) => {
    const service = await startTestService(t)
    const answer = await rawCall(service, { operation: 'ListKeys', body: '{}' })
    assert.match(String(answer.headers['x-amzn-requestid']), uuid)
    assert.ok(Math.abs(Date.parse(answer.headers.date ?? '') - Date.now()) < 10_000)
    assert.equal(answer.headers['content-type'], 'application/x-amz-json-1.1')
    assert.equal(answer.headers['cache-control'], 'no-cache, no-store, must-revalidate, private')
    for (const body of [identity, `${identity}&${identity}`]) {
      const inXml = await rawCall(service, { service: 'sts', body })
      assert.equal(/<RequestId>(.*)<\/RequestId>/.exec(inXml.body)?.[1], inXml.headers['x-amzn-requestid'])
    }
    const ids = service.trail().map((record) => record['requestID'])
    assert.equal(ids[0], answer.headers['x-amzn-requestid'])
    assert.equal(new Set(ids).size, 3)
  })
})

describe('JSON requests', () => {
  test('are well formed, and no odd form of them does harm', async (t) => {
    const service = await startTestService(t)
    const { KeyMetadata } = await service.kms().send(new CreateKeyCommand({}))
    const encrypt = (members: string): string => `{"KeyId":"${KeyMetadata?.KeyId ?? ''}",${members}}`
    const deep = (count: number): string => '['.repeat(count) + ']'.repeat(count)
    const table: [operation: string, body: string | Buffer, code: string | undefined][] = [
      ['ListKeys', '', undefined],
      ['ListKeys', '{}', undefined],
      ['ListKeys', ' {"Limit":1e0} ', undefined],
      ['ListKeys', '{"Limit":null,"More":{"a":[1]}}', undefined],
      ['ListKeys', `{"More":${deep(9000)}}`, undefined],
      ['ListKeys', `{"More":${deep(500_000)}}`, 'SerializationException'],
      ['ListKeys', `{"Limit":${deep(100_000)}}`, 'SerializationException'],
      ['ListKeys', '[]', 'SerializationException'],
      ['ListKeys', 'null', 'SerializationException'],
      ['ListKeys', '"x"', 'SerializationException'],
      ['ListKeys', '{"Limit":1', 'SerializationException'],
      ['ListKeys', '{"Limit":NaN}', 'SerializationException'],
      ['ListKeys', '{"Limit":"1"}', 'SerializationException'],
      ['ListKeys', '{"Limit":1.5}', 'SerializationException'],
      ['ListKeys', '{"Limit":true}', 'SerializationException'],
      ['ListKeys', '{"Limit":1e400}', 'SerializationException'],
      ['ListKeys', '{"Limit":1e300}', 'SerializationException'],
      ['ListKeys', '{"Limit":1001}', 'ValidationException'],
      ['ListKeys', '{"Limit":0}', 'ValidationException'],
      ['ListKeys', '{"Limit":1,"Limit":2}', 'SerializationException'],
      ['ListKeys', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 'SerializationException'],
      ['ListKeys', Buffer.from('{}', 'utf16le'), 'SerializationException'],
      ['Encrypt', encrypt('"Plaintext":"eA=="'), undefined],
      ['Encrypt', encrypt('"Plaintext":"eA"'), 'SerializationException'],
      ['Encrypt', encrypt('"Plaintext":"eB=="'), 'SerializationException'],
      ['Encrypt', encrypt('"Plaintext":"e A=="'), 'SerializationException'],
      ['Encrypt', encrypt('"Plaintext":"_-8="'), 'SerializationException'],
      ['Encrypt', encrypt('"Plaintext":""'), 'ValidationException'],
      ['Encrypt', encrypt('"Plaintext":["eA=="]'), 'SerializationException'],
      ['Encrypt', encrypt('"Plaintext":"eA==","EncryptionContext":{"a":1}'), 'SerializationException'],
      ['Encrypt', encrypt('"Plaintext":"eA==","EncryptionContext":{"a":null}'), 'SerializationException'],
      [
        'Encrypt',
        encrypt('"Plaintext":"eA==","EncryptionContext":{"a":"\\ud800"}'),
        'SerializationException',
      ],
    ]
    for (const [operation, body, code] of table) {
      const answer = await rawCall(service, { operation, body })
      const got = answer.status === 200 ? undefined : jsonCode(answer)
      assert.equal(got, code, `${operation} ${String(body).slice(0, 80)}: ${answer.body.slice(0, 200)}`)
    }
    assert.equal(table.length, 32)
  })

  test('are told what is out of bounds as Amazon tells it, but no secret', async (t) => {
    const service = await startTestService(t)
    const table: [operation: string, members: object, message: string][] = [
      [
        'DescribeKey',
        { KeyId: '' },
        "Value '' at 'keyId' failed to satisfy constraint: Member must have length greater than or equal to 1",
      ],
      ['DescribeKey', {}, "Value null at 'keyId' failed to satisfy constraint: Member must not be null"],
      [
        'ListKeys',
        { Limit: 1001 },
        "Value '1001' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 1000",
      ],
      [
        'GenerateDataKey',
        { KeyId: 'a', KeySpec: 'AES_512' },
        "Value 'AES_512' at 'keySpec' failed to satisfy constraint: Member must satisfy enum value set: [AES_256, AES_128]",
      ],
      [
        'DescribeKey',
        { KeyId: 'k'.repeat(2049) },
        `Value '${'k'.repeat(255)}…' at 'keyId' failed to satisfy constraint: Member must have length less than or equal to 2048`,
      ],
      [
        'Encrypt',
        { KeyId: 'a', Plaintext: Buffer.alloc(4097, 's').toString('base64') },
        "Value at 'plaintext' failed to satisfy constraint: Member must have length less than or equal to 4096",
      ],
      [
        'Decrypt',
        { CiphertextBlob: '' },
        "Value at 'ciphertextBlob' failed to satisfy constraint: Member must have length greater than or equal to 1",
      ],
    ]
    for (const [operation, members, message] of table) {
      const answer = await rawCall(service, { operation, body: JSON.stringify(members) })
      assert.deepEqual(JSON.parse(answer.body), {
        __type: 'ValidationException',
        message: `1 validation error detected: ${message}`,
      })
    }
    const both = await rawCall(service, {
      operation: 'GenerateDataKey',
      body: '{"KeyId":"","NumberOfBytes":0}',
    })
    assert.match(
      both.body,
      /"2 validation errors detected: Value '' at 'keyId' [^;]*; Value '0' at 'numberOfBytes' [^;]*"/,
    )
  })

  test('cost little and are answered shortly when everything in a long list is wrong', async (t) => {
    const service = await startTestService(t)
    const call = async (length: number, item: unknown): Promise<string> => {
      const body = JSON.stringify({ KeyId: 'a', Tags: Array<unknown>(length).fill(item) })
      return (await rawCall(service, { operation: 'TagResource', body })).body
    }
    const tooLong =
      "1 validation error detected: Value at 'tags' failed to satisfy constraint: " +
      'Member must have length less than or equal to 200'
    // Each of these is two errors; telling the errors of so many would take seconds.
    for (const length of [201, 4000]) assert.ok((await call(length, {})).includes(tooLong))
    const some = await call(200, {})
    assert.match(some, /"400 validation errors detected: Value null at 'tags\.1\.member\.tagKey' /)
    assert.equal(some.split('; Value').length, 10)
    for (const value of ['['.repeat(10_000) + ']'.repeat(10_000), '[' + '0,'.repeat(10_000) + '0]']) {
      const { body } = await rawCall(service, { operation: 'ListKeys', body: `{"Odd":${value}}` })
      assert.match(body, /SerializationException.*the request has more than 10000 values/)
    }
    const Odd = '[{,"\\'.repeat(10_000)
    assert.equal(
      (await rawCall(service, { operation: 'ListKeys', body: JSON.stringify({ Odd }) })).status,
      200,
    )
    const form = new URLSearchParams({ Action: 'TagUser', Version: '2010-05-08', UserName: 'a' })
    for (let n = 1; n <= 5000; n++) form.append(`Tags.member.${n}.Key`, '')
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const answer = await rawCall(service, { service: 'iam', headers, body: form.toString() })
    assert.ok(answer.body.includes(tooLong), answer.body)
  })
})

describe('query requests', () => {
  test('come as a form, as a query string, or as both', async (t) => {
    const service = await startTestService(t)
    const query = { Action: 'GetCallerIdentity', Version: '2011-06-15' }
    const calls: RawCall[] = [
      { body: identity },
      { method: 'GET', query },
      { method: 'GET', query, presignedFor: 60 },
      { query, presignedFor: 60 },
      { query: { Action: 'GetCallerIdentity' }, body: 'Version=2011-06-15' },
      { body: identity, region: 'us-east-1' },
    ]
    for (const call of calls) {
      const answer = await rawCall(service, { service: 'sts', ...call })
      assert.match(answer.body, /<Arn>arn:aws:iam::111122223333:root<\/Arn>/, JSON.stringify(call))
      assert.equal(answer.status, 200)
    }
    for (const call of [
      { query, body: identity },
      { method: 'GET', query: { ...query, A: ['a', 'b'] } },
    ]) {
      const answer = await rawCall(service, { service: 'sts', ...call })
      assert.equal(codeOf(answer), 'MalformedQueryString')
    }
  })

  test('mean what was signed: a plus sign in a query string is one', async (t) => {
    const service = await startTestService(t)
    const query = { Action: 'GetUser', Version: '2010-05-08', UserName: 'a+b@c' }
    const alter = (request: SignedRequest): SignedRequest => ({
      ...request,
      target: request.target.replace('%2B', '+'),
    })
    for (const call of [{ query }, { query, alter }]) {
      const answer = await rawCall(service, { service: 'iam', method: 'GET', ...call })
      assert.match(answer.body, /The user with name a\+b@c cannot be found/)
    }
  })

  test('get well-formed XML, whatever they hold', async (t) => {
    const service = await startTestService(t)
    const answer = await rawCall(service, {
      service: 'iam',
      body: 'Action=GetUser&Version=2010-05-08&UserName=%00%1b%3C%EF%BF%BF',
    })
    assert.equal(codeOf(answer), 'ValidationError')
    assert.match(answer.body, /Value &#39;|Value '\ufffd\ufffd&#60;\ufffd' at 'userName'/)
  })
})

function jsonCode({ body }: RawAnswer): string {
  const error: unknown = JSON.parse(body)
  assert.ok(typeof error === 'object' && error !== null && '__type' in error)
  return String(error.__type)
}

function codeOf(answer: RawAnswer): string {
  return answer.body.startsWith('<') ? (/<Code>(\w+)<\/Code>/.exec(answer.body)?.[1] ?? '') : jsonCode(answer)
}
