import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { rawHeadersOf, sign, targetOf } from '../../../test/support/signer.ts'
import { longTerm, verifierOf } from '../../../test/support/verifier.ts'
import { AwsException } from '../protocol/exceptions.ts'
import type { WireRequest } from './canonical-request.ts'
import { claimedAccessKeyId, type Signer, verifySignature } from './verify.ts'

const at = new Date('2030-01-02T03:04:05Z')
const later = (seconds: number): Date => new Date(at.getTime() + seconds * 1000)
const identity = { Action: 'GetCallerIdentity', Version: '2011-06-15' }

async function presigned(
  presignedFor: number,
  edit: (query: Record<string, string | string[]>) => void = () => undefined,
): Promise<WireRequest> {
  const request = {
    method: 'GET',
    path: '/',
    query: identity,
    headers: { host: 'sts.example' },
    body: Buffer.alloc(0),
  }
  const signing = { credentials: longTerm, service: 'sts', region: 'eu-west-3', at, presignedFor }
  const signed = await sign(request, signing)
  const query = { ...signed.query }
  edit(query)
  return { ...signed, target: targetOf('/', query), rawHeaders: rawHeadersOf(signed.headers) }
}

function verify(request: WireRequest, now = at): Signer {
  return verifySignature(request, { service: 'sts', regions: ['us-east-1', 'eu-west-3'] }, verifierOf(), now)
}

describe('a presigned request', () => {
  test('says who signed it, and for which region', async () => {
    const { principal, region } = verify(await presigned(60))
    assert.deepEqual([principal.accessKeyId, region], [longTerm.accessKeyId, 'eu-west-3'])
    assert.equal(claimedAccessKeyId(await presigned(60)), longTerm.accessKeyId)
  })

  test('whose access key id looks like a secret has none that may be recorded', async () => {
    const mixedUp = await presigned(60, (query) => {
      query['X-Amz-Credential'] =
        'wJalrXUtnFEMIxK7MDENGxbPxRfiCYEXAMPLEKEY/20300102/eu-west-3/sts/aws4_request'
    })
    assert.throws(() => verify(mixedUp), { exceptionName: 'UnrecognizedClientException' })
    assert.equal(claimedAccessKeyId(mixedUp), undefined)
  })

  test('holds as long as it says, and 15 minutes at most', async () => {
    const cases: [presignedFor: number, holds: number, text: string][] = [
      [1, 1, '1 sec.'],
      [60, 60, '1 min.'],
      [900, 900, '15 min.'],
      [604_800, 900, '15 min.'],
    ]
    for (const [presignedFor, holds, text] of cases) {
      const request = await presigned(presignedFor)
      verify(request, later(holds))
      verify(request, later(-300))
      const refused = { exceptionName: 'InvalidSignatureException' }
      assert.throws(() => verify(request, later(holds + 1)), {
        ...refused,
        message: new RegExp(`^Signature expired: 20300102T030405Z is now earlier than .* - ${text}\\)$`),
      })
      assert.throws(() => verify(request, later(-301)), { ...refused, message: /^Signature not yet current/ })
    }
    const unlimited = await presigned(60, (query) => {
      delete query['X-Amz-Expires']
    })
    // It is signed with its X-Amz-Expires: what is left out counts as a change, but only after the time is checked.
    assert.throws(() => verify(unlimited, later(300)), { message: /does not match/ })
    assert.throws(() => verify(unlimited, later(301)), { message: /expired.* - 5 min/ })
  })

  test('says what is wrong with it', async () => {
    const cases: [
      edit: (query: Record<string, string | string[]>) => void,
      exceptionName: string,
      message: RegExp,
    ][] = [
      [
        remove('X-Amz-Algorithm'),
        'IncompleteSignatureException',
        /^AWS query-string parameters must include 'X-Amz-Algorithm'. Re-examine the query-string parameters.$/,
      ],
      [
        remove('X-Amz-Credential', 'X-Amz-Date'),
        'IncompleteSignatureException',
        /include 'X-Amz-Credential'. AWS .* include 'X-Amz-Date'. Re/,
      ],
      [remove('X-Amz-SignedHeaders'), 'IncompleteSignatureException', /include 'X-Amz-SignedHeaders'/],
      [remove('X-Amz-Signature'), 'IncompleteSignatureException', /include 'X-Amz-Signature'/],
      [remove('X-Amz-Algorithm', 'X-Amz-Signature'), 'MissingAuthenticationTokenException', /missing Auth/],
      [set('X-Amz-Algorithm', 'AWS4-ECDSA-P256-SHA256'), 'IncompleteSignatureException', /algorithm/],
      [
        set('X-Amz-Date', ['20300102T030405Z', '20300102T030405Z']),
        'IncompleteSignatureException',
        /'X-Amz-Date' once/,
      ],
      [set('X-Amz-Date', '20300230T030405Z'), 'IncompleteSignatureException', /YYYYMMDD/],
      [set('X-Amz-Expires', '0'), 'IncompleteSignatureException', /1 to 604800/],
      [set('X-Amz-Expires', '604801'), 'IncompleteSignatureException', /1 to 604800/],
      [set('X-Amz-Expires', '1e1'), 'IncompleteSignatureException', /1 to 604800/],
      [set('X-Amz-Expires', '61'), 'InvalidSignatureException', /does not match/],
      [set('X-Amz-SignedHeaders', 'x'), 'InvalidSignatureException', /'Host' must be/],
      [set('X-Amz-Security-Token', 'token'), 'UnrecognizedClientException', /security token/],
      [set('X-Amz-Content-Sha256', 'UNSIGNED-PAYLOAD'), 'InvalidSignatureException', /not the SHA-256/],
      [set('Action', 'GetSessionToken'), 'InvalidSignatureException', /does not match/],
      [set('More', ''), 'InvalidSignatureException', /does not match/],
    ]
    for (const [edit, exceptionName, message] of cases) {
      const request = await presigned(60, edit)
      assert.throws(
        () => verify(request),
        (error) => {
          assert.ok(error instanceof AwsException)
          assert.equal(error.exceptionName, exceptionName, request.target)
          assert.match(error.message, message)
          return true
        },
      )
    }
    assert.equal(cases.length, 17)
  })

  test('is not signed in the header as well', async () => {
    const request = await presigned(60)
    const both = { ...request, rawHeaders: [...request.rawHeaders, 'Authorization', 'AWS4-HMAC-SHA256 x=y'] }
    assert.throws(() => verify(both), {
      exceptionName: 'InvalidSignatureException',
      message: "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
    })
  })

  test('has every x-amz- header signed', async () => {
    const request = await presigned(60)
    const more = { ...request, rawHeaders: [...request.rawHeaders, 'X-Amz-Target', 'TrentService.Decrypt'] }
    assert.throws(() => verify(more), {
      message: "'x-amz-target' must be a 'SignedHeader' in the AWS Authorization.",
    })
  })
})

function remove(...names: string[]): (query: Record<string, string | string[]>) => void {
  return (query) => {
    for (const name of names) Reflect.deleteProperty(query, name)
  }
}

function set(name: string, value: string | string[]): (query: Record<string, string | string[]>) => void {
  return (query) => {
    query[name] = value
  }
}
