import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { type Algorithm, newIssuerKey, part } from '../../../test/support/oidc-issuer.ts'
import { fits, isSignedBy, signatureAlgorithm, verificationKey } from './signature-algorithms.ts'
import { readToken } from './web-identity-token.ts'

const good = { iss: 'https://issuer.example', sub: 'someone', aud: 'client', iat: 1, exp: 2 }
const tokenOf = (header: unknown, claims: unknown, signature = 'AAAA'): string =>
  `${part(header)}.${part(claims)}.${signature}`
const refused = { name: 'AwsException', exceptionName: 'InvalidIdentityToken' }

test('a token is read as it is written', () => {
  const text = tokenOf({ alg: 'ES256', kid: 'k', typ: 'JWT' }, { ...good, amr: 'pwd', other: [1] })
  const token = readToken(text)
  assert.equal(token.algorithm.name, 'ES256')
  assert.equal(token.keyId, 'k')
  assert.equal(token.signed.toString(), text.slice(0, -5))
  assert.deepEqual(token.signature, Buffer.from([0, 0, 0]))
  assert.deepEqual(token.claims, { ...good, aud: ['client'], amr: ['pwd'] })
})

test('what is no token that can be proved is refused, and not quoted', () => {
  const header = { alg: 'RS256' }
  const rows: [text: string, message: RegExp][] = [
    ['', /not a valid JWT/],
    ['x', /not a valid JWT/],
    ['a.b', /not a valid JWT/],
    ['a.b.c.d', /not a valid JWT/],
    ['a.b.c.d.e', /not a valid JWT/],
    [tokenOf(header, good, 'A+A='), /not base64url/],
    [tokenOf(header, good, 'AB'), /not base64url/],
    [tokenOf(header, good, 'AAAA\n'), /not base64url/],
    [`${part(header)}=.${part(good)}.AAAA`, /not base64url/],
    [`${Buffer.from('{"alg":').toString('base64url')}.${part(good)}.AAAA`, /not signed by RS256/],
    [`${Buffer.from([0x7b, 0xff, 0x7d]).toString('base64url')}.${part(good)}.AAAA`, /not signed by/],
    [tokenOf([], good), /not signed by/],
    [tokenOf({}, good), /not signed by/],
    ...['none', 'None', 'NONE', '', 'HS256', 'HS512', 'PS256', 'rs256', 'EdDSA', 'ES256K', '__proto__'].map(
      (alg): [string, RegExp] => [tokenOf({ alg }, good, ''), /not signed by/],
    ),
    [tokenOf({ ...header, crit: ['b64'], b64: false }, good), /not signed by/],
    [tokenOf(header, 'text'), /no claims/],
    ...Object.keys(good).map((name): [string, RegExp] => [
      tokenOf(header, { ...good, [name]: undefined }),
      new RegExp(`wrong one: ${name}$`),
    ]),
    [tokenOf(header, { ...good, sub: 'x'.repeat(256) }), /: sub$/],
    [tokenOf(header, { ...good, sub: '' }), /: sub$/],
    [tokenOf(header, { ...good, aud: [] }), /: aud$/],
    [tokenOf(header, { ...good, aud: { client: true } }), /: aud$/],
    [tokenOf(header, { ...good, exp: '2' }), /: exp$/],
    [tokenOf(header, { ...good, exp: 1e300 }), /: exp$/],
    [tokenOf(header, { ...good, nbf: 'now' }), /: nbf$/],
    [tokenOf(header, { ...good, azp: 1 }), /: azp$/],
    [tokenOf(header, { ...good, 'https://aws.amazon.com/tags': 'x' }), /: https:\/\/aws/],
  ]
  for (const [text, message] of rows) assert.throws(() => readToken(text), { ...refused, message }, text)
  assert.equal(rows.length, 40)
})

test('signatures are those of RFC 7515, appendices A.2 and A.3', () => {
  const payload =
    'eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ'
  const vectors = [
    {
      alg: 'RS256',
      header: 'eyJhbGciOiJSUzI1NiJ9',
      key: {
        kty: 'RSA',
        n:
          'ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMs' +
          'D1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdV' +
          'MTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ',
        e: 'AQAB',
      },
      signature:
        'cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjb' +
        'KBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZES' +
        'c6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw',
    },
    {
      alg: 'ES256',
      header: 'eyJhbGciOiJFUzI1NiJ9',
      key: {
        kty: 'EC',
        crv: 'P-256',
        x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
        y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
      },
      signature: 'DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q',
    },
  ]
  for (const { alg, header, key, signature } of vectors) {
    const algorithm = signatureAlgorithm(alg) ?? assert.fail()
    const known = verificationKey(key) ?? assert.fail()
    const signed = Buffer.from(`${header}.${payload}`)
    const bytes = Buffer.from(signature, 'base64url')
    assert.ok(fits(known, algorithm))
    assert.ok(isSignedBy(known, { algorithm, signed, signature: bytes }), alg)
    for (const wrong of [
      bytes.subarray(1),
      Buffer.concat([bytes, bytes]),
      Buffer.alloc(0),
      Buffer.alloc(bytes.length),
    ])
      assert.ok(!isSignedBy(known, { algorithm, signed, signature: wrong }), alg)
    assert.ok(!isSignedBy(known, { algorithm, signed: Buffer.from(`${header}.x`), signature: bytes }), alg)
  }
})

test('a key is used for what it is for, whatever a header says', () => {
  const algorithms: Algorithm[] = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512']
  for (const of of algorithms) {
    const { published } = newIssuerKey('k', of)
    const key = verificationKey(published) ?? assert.fail()
    const anyAlgorithm = verificationKey({ ...published, alg: undefined }) ?? assert.fail()
    const fitting = (known: typeof key) =>
      algorithms.filter((name) => fits(known, signatureAlgorithm(name) ?? assert.fail()))
    assert.deepEqual(fitting(key), [of])
    assert.deepEqual(fitting(anyAlgorithm), of.startsWith('RS') ? ['RS256', 'RS384', 'RS512'] : [of])
  }
})

test('keys that are weak, costly, secret or for something else are not used', () => {
  const rsa = newIssuerKey('k', 'RS256').published
  const ec = newIssuerKey('k', 'ES256').published
  assert.ok(verificationKey(rsa) !== undefined && verificationKey(ec) !== undefined)
  const secp256k1 = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey.export({ format: 'jwk' })
  const largeExponent = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicExponent: 3,
  }).publicKey.export({
    format: 'jwk',
  })
  for (const unusable of [
    undefined,
    'key',
    {},
    { kty: 'oct', k: 'AAAA', kid: 'k' },
    { ...rsa, use: 'enc' },
    { ...rsa, kty: 'EC' },
    { ...rsa, n: '' },
    { ...rsa, n: 'x'.repeat(3000) },
    { ...rsa, e: 'AQ' },
    { ...rsa, e: Buffer.from('0100000001', 'hex').toString('base64url') },
    newIssuerKey('k', 'RS256', 1024).published,
    { ...rsa, n: Buffer.alloc(640, 0xff).toString('base64url') },
    { ...ec, x: 'AAAA' },
    { ...ec, crv: 'P-384' },
    { ...secp256k1, kid: 'k' },
    { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' },
  ])
    assert.equal(verificationKey(unusable), undefined, JSON.stringify(unusable))
  assert.ok(verificationKey(largeExponent) !== undefined)
  // A public key as the secret of HS256: the attack that a choice by the header allows.
  const pem = verificationKey(rsa)?.publicKey.export({ format: 'pem', type: 'spki' }) ?? ''
  const signed = `${part({ alg: 'HS256' })}.${part(good)}`
  const mac = createHmac('sha256', pem).update(signed).digest('base64url')
  assert.throws(() => readToken(`${signed}.${mac}`), refused)
})
