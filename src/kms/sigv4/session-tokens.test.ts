import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { rawHeadersOf, sign, type SignedRequest, targetOf } from '../../../test/support/signer.ts'
import { longTerm, principal, verifierOf } from '../../../test/support/verifier.ts'
import type { WireRequest } from './canonical-request.ts'
import type { SessionTokens } from './session-tokens.ts'
import { type Signer, verifySignature, type Verifier } from './verify.ts'

const at = new Date('2030-01-02T03:04:05Z')
const temporary = {
  accessKeyId: 'ASIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'c2VjcmV0IG9mIGEgdGVtcG9yYXJ5IGFjY2VzcyBrZXk',
  sessionToken: 'token/of+the=session',
}
const sessions: SessionTokens = {
  find: (accessKeyId) =>
    accessKeyId === temporary.accessKeyId
      ? {
          principal: principal(accessKeyId),
          expiresAt: new Date(at.getTime() + 60_000),
          tokenMatches: (token) => token === temporary.sessionToken,
          secretAccessKey: () => Buffer.from(temporary.secretAccessKey),
        }
      : undefined,
}

async function signedBy(
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string },
  presignedFor?: number,
): Promise<SignedRequest> {
  const request = {
    method: 'POST',
    path: '/',
    query: {},
    headers: { host: 'kms.example', 'x-amz-target': 'TrentService.ListKeys' },
    body: Buffer.from('{}'),
  }
  const signing = { credentials, service: 'kms', region: 'us-east-1', at }
  return await sign(request, presignedFor === undefined ? signing : { ...signing, presignedFor })
}

function wire(request: SignedRequest): WireRequest {
  return { ...request, rawHeaders: rawHeadersOf(request.headers) }
}

function verify(request: WireRequest, verifier: Verifier = verifierOf(sessions), now = at): Signer {
  return verifySignature(request, { service: 'kms', regions: ['us-east-1'] }, verifier, now)
}

const { sessionToken, ...withoutToken } = temporary
const wrongToken = { ...withoutToken, sessionToken: sessionToken.replace('t', 'T') }
const invalid = {
  exceptionName: 'UnrecognizedClientException',
  message: 'The security token included in the request is invalid.',
}

describe('temporary credentials', () => {
  test('sign with their session token, in a header or in the query', async () => {
    for (const presignedFor of [undefined, 60]) {
      const request = wire(await signedBy(temporary, presignedFor))
      assert.equal(verify(request).principal.accessKeyId, temporary.accessKeyId)
    }
  })

  test('sign with no other token, with one token, and never without', async () => {
    for (const presignedFor of [undefined, 60]) {
      for (const credentials of [withoutToken, wrongToken, { ...withoutToken, sessionToken: '' }]) {
        const request = wire(await signedBy(credentials, presignedFor))
        assert.throws(() => verify(request), invalid)
      }
    }
    const inHeader = await signedBy(temporary)
    const twice = { ...inHeader, target: targetOf('/', { 'X-Amz-Security-Token': sessionToken }) }
    assert.throws(() => verify(wire(twice)), invalid)
  })

  test('have their token signed', async () => {
    const { headers, ...request } = await signedBy(withoutToken)
    const added = { ...request, headers: { ...headers, 'x-amz-security-token': sessionToken } }
    assert.throws(() => verify(wire(added)), {
      exceptionName: 'InvalidSignatureException',
      message: "'x-amz-security-token' must be a 'SignedHeader' in the AWS Authorization.",
    })
    const inQuery = { ...request, headers, target: targetOf('/', { 'X-Amz-Security-Token': sessionToken }) }
    assert.throws(() => verify(wire(inQuery)), { message: /does not match/ })
  })

  test('need their own secret', async () => {
    const request = wire(await signedBy({ ...temporary, secretAccessKey: longTerm.secretAccessKey }))
    assert.throws(() => verify(request), { exceptionName: 'InvalidSignatureException' })
  })

  test('expire, and their signing keys with them', async () => {
    const verifier = verifierOf(sessions)
    const request = wire(await signedBy(temporary))
    verify(request, verifier, new Date(at.getTime() + 59_999))
    verify(wire(await signedBy(longTerm)), verifier)
    assert.equal(verifier.signingKeys.size, 2)
    assert.throws(() => verify(request, verifier, new Date(at.getTime() + 60_000)), {
      exceptionName: 'ExpiredTokenException',
      message: 'The security token included in the request is expired',
    })
    assert.equal(verifier.signingKeys.size, 1)
    const wrong = wire(await signedBy(wrongToken))
    assert.throws(() => verify(wrong, verifier, new Date(at.getTime() + 60_000)), invalid)
  })

  test('that were revoked are unknown, and their signing keys are gone', async () => {
    let revoked = false
    const verifier = verifierOf({ find: (id) => (revoked ? undefined : sessions.find(id)) })
    const request = wire(await signedBy(temporary))
    verify(request, verifier)
    revoked = true
    assert.throws(() => verify(request, verifier), invalid)
    assert.equal(verifier.signingKeys.size, 0)
  })
})

test('a long-term access key signs without a session token', async () => {
  verify(wire(await signedBy(longTerm)))
  for (const presignedFor of [undefined, 60]) {
    const request = wire(await signedBy({ ...longTerm, sessionToken }, presignedFor))
    assert.throws(() => verify(request), invalid)
  }
})
