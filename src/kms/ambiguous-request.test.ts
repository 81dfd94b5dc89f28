import { GetUserCommand, type IAMClient } from '@aws-sdk/client-iam'
import { CreateKeyCommand, EncryptCommand, type KMSClient, PutKeyPolicyCommand } from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestService, type TestService } from '../../test/support/kms-service.ts'

/** Clients that send, and sign, another body than they made. */
function kmsSending(service: TestService, replace: (body: string) => string): KMSClient {
  const client = service.kms()
  client.middlewareStack.add(
    (next) => (args) => {
      replaceBody(args.request, replace)
      return next(args)
    },
    { step: 'serialize', priority: 'low' },
  )
  return client
}

function iamSending(service: TestService, replace: (body: string) => string): IAMClient {
  const client = service.iam()
  client.middlewareStack.add(
    (next) => (args) => {
      replaceBody(args.request, replace)
      return next(args)
    },
    { step: 'serialize', priority: 'low' },
  )
  return client
}

function replaceBody(request: unknown, replace: (body: string) => string): void {
  assert.ok(typeof request === 'object' && request !== null && 'body' in request)
  const { body } = request
  request.body = replace(body instanceof Uint8Array ? new TextDecoder().decode(body) : String(body))
}

test('a request with two members of one name is refused, in JSON and in a form', async (t) => {
  const service = await startTestService(t)
  const { KeyMetadata } = await service.kms().send(new CreateKeyCommand({}))
  const context = { KeyId: KeyMetadata?.KeyId, Plaintext: Buffer.from('x'), EncryptionContext: { a: 'b' } }
  const table: [from: string, to: string][] = [
    ['"EncryptionContext"', '"EncryptionContext":{"a":"c"},"EncryptionContext"'],
    ['{"a":"b"}', '{"a":"b","a":"c"}'],
    ['{"a":"b"}', '{"a":"b","\\u0061":"c"}'],
    ['"Plaintext"', '"Plaintext":"eA==","Plaintext"'],
  ]
  for (const [from, to] of table) {
    const kms = kmsSending(service, (body) => {
      assert.ok(body.includes(from))
      return body.replace(from, to)
    })
    await assert.rejects(kms.send(new EncryptCommand(context)), { name: 'SerializationException' }, to)
  }
  const unchanged = kmsSending(service, (body) => body.replace('{"a":"b"}', '{"a":"b","b":"a"}'))
  await unchanged.send(new EncryptCommand(context))

  for (const more of [
    '&UserName=b',
    '&User%4eame=b',
    '&UserName.x=b',
    '&Action=GetUser',
    '&a.b=1&a.b=2',
    '&a.b=1&a=2',
  ]) {
    const iam = iamSending(service, (body) => body + more)
    await assert.rejects(
      iam.send(new GetUserCommand({ UserName: 'a' })),
      { name: /MalformedQueryString/ },
      more,
    )
  }
  const iam = iamSending(service, (body) => `${body}&a.member.1=1&a.member.2=2`)
  await assert.rejects(iam.send(new GetUserCommand({ UserName: 'a' })), { name: 'NoSuchEntityException' })
})

test('a policy with two members of one name is refused', async (t) => {
  const kms = (await startTestService(t)).kms()
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  const allow = '"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"'
  for (const statement of [`"Effect":"Deny",${allow}`, `"Eff\\u0065ct":"Deny",${allow}`]) {
    const Policy = `{"Statement":{${statement}}}`
    const refused = { name: 'MalformedPolicyDocumentException', message: /two members named Effect/ }
    await assert.rejects(kms.send(new CreateKeyCommand({ Policy })), refused)
    await assert.rejects(kms.send(new PutKeyPolicyCommand({ KeyId: KeyMetadata?.KeyId, Policy })), refused)
  }
})
