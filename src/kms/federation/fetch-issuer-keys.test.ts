import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { test } from 'node:test'
import { type Issuer, newIssuerKey, startIssuer } from '../../../test/support/oidc-issuer.ts'
import type { OidcProvider } from '../state/oidc-providers.ts'
import { fetchIssuerKeys } from './fetch-issuer-keys.ts'
import { getJson } from './https-json.ts'

const providerOf = (
  { name, arn, thumbprint }: Issuer,
  changes: Partial<OidcProvider> = {},
): OidcProvider => ({
  ...{
    providerId: '',
    name,
    arn,
    clientIds: [],
    thumbprints: [thumbprint],
    tags: new Map(),
    createdAt: new Date(0),
  },
  ...changes,
})
const never = new AbortController().signal
const idsOf = async (provider: OidcProvider): Promise<(string | undefined)[]> =>
  (await fetchIssuerKeys(provider, never)).map(({ keyId }) => keyId)
const lasting = (message: RegExp) => ({ message, isLasting: true })
const passing = (message: RegExp) => ({ message, isLasting: false })
const configurationOf = ({ url }: Issuer): string =>
  `${new URL(url).pathname}/.well-known/openid-configuration`

test('the keys are those that the issuer’s configuration leads to', async (t) => {
  const issuer = await startIssuer(t)
  issuer.keys = [newIssuerKey('a', 'RS256'), newIssuerKey('weak', 'RS256', 1024), newIssuerKey('b', 'ES384')]
  assert.deepEqual(await idsOf(providerOf(issuer)), ['a', 'b'])
  assert.deepEqual(issuer.requests, ['/realms/test/.well-known/openid-configuration', '/realms/test/keys'])
})

test('an issuer may be a bare host, end with a slash, and be an address', async (t) => {
  for (const options of [{ path: '' }, { path: '/' }, { path: '/a/b/' }, { path: '/a', host: '127.0.0.1' }]) {
    const issuer = await startIssuer(t, options)
    assert.deepEqual(await idsOf(providerOf(issuer)), ['key-1'], options.path)
  }
})

test('the server proves its name by the authorities, or by a certificate whose thumbprint is listed', async (t) => {
  const issuer = await startIssuer(t)
  const untrusted = lasting(
    /certificate of https:\/\/localhost:\d+\/realms\/test\/\S+ is not trusted \([A-Z_]+\)/,
  )
  await assert.rejects(idsOf(providerOf(issuer, { thumbprints: [] })), untrusted)
  await assert.rejects(idsOf(providerOf(issuer, { thumbprints: ['0'.repeat(40)] })), untrusted)
  assert.deepEqual(issuer.requests, [], 'nothing is sent to whom nobody vouches for')
  assert.deepEqual(await idsOf(providerOf(issuer, { thumbprints: [issuer.serverThumbprint] })), ['key-1'])
  assert.deepEqual(await idsOf(providerOf(issuer, { thumbprints: ['0'.repeat(40), issuer.thumbprint] })), [
    'key-1',
  ])
  const other = await startIssuer(t, { host: 'other.example' })
  const name = other.name.replace('other.example', 'localhost')
  await assert.rejects(
    idsOf(providerOf(other, { name })),
    lasting(/not trusted \(ERR_TLS_CERT_ALTNAME_INVALID\)/),
    'a thumbprint says nothing of another name',
  )
})

test('nothing but the right documents is taken', async (t) => {
  const issuer = await startIssuer(t)
  const configuration = configurationOf(issuer)
  const keys = '/realms/test/keys'
  const document = (changes: object): string =>
    JSON.stringify({ issuer: issuer.url, jwks_uri: issuer.url + '/keys', ...changes })
  const rows: [path: string, answer: Parameters<typeof issuer.answers.set>[1], error: object][] = [
    [configuration, { status: 301, headers: { location: `${issuer.url}/keys` } }, lasting(/status 301/)],
    [configuration, { status: 404 }, lasting(/status 404/)],
    [configuration, { status: 429 }, passing(/status 429/)],
    [configuration, { status: 503 }, passing(/status 503/)],
    [configuration, { body: '<html>' }, lasting(/is no JSON/)],
    [configuration, { body: '[]' }, lasting(/names no issuer/)],
    [configuration, { body: 'x'.repeat(600_000) }, lasting(/larger than 524288 bytes/)],
    [configuration, { body: document({ issuer: `${issuer.url}/` }) }, lasting(/is another issuer's/)],
    [
      configuration,
      { body: document({ jwks_uri: 'http://localhost/keys' }) },
      lasting(/jwks_uri over https/),
    ],
    [configuration, { body: document({ jwks_uri: 'file:///etc/passwd' }) }, lasting(/jwks_uri over https/)],
    [
      configuration,
      { body: document({ jwks_uri: 'https://a:b@localhost/' }) },
      lasting(/no https URL without/),
    ],
    [keys, { status: 302, headers: { location: issuer.url } }, lasting(/keys answers with status 302/)],
    [keys, { body: '{"keys":{}}' }, lasting(/no set of at most 200 keys/)],
    [
      keys,
      { body: JSON.stringify({ keys: Array.from({ length: 201 }, () => ({})) }) },
      lasting(/at most 200 keys/),
    ],
  ]
  for (const [path, answer, error] of rows) {
    issuer.answers.clear()
    issuer.answers.set(path, answer)
    await assert.rejects(idsOf(providerOf(issuer)), error)
  }
  assert.equal(rows.length, 14)
})

test('an issuer can’t have this machine asked, or what tells machines their secrets', async (t) => {
  const issuer = await startIssuer(t)
  const inside = await startIssuer(t)
  const port = new URL(inside.url).port
  for (const host of [
    `localhost:${port}`,
    `127.0.0.1:${port}`,
    `127.1:${port}`,
    `[::1]:${port}`,
    `[::ffff:127.0.0.1]:${port}`,
    '169.254.169.254',
    '0.0.0.0',
    '[fe80::1]',
    // Where Amazon's, Google's and Alibaba's machines find what is told to them alone.
    '[fd00:ec2::254]',
    '[fd20:ce::254]',
    '100.100.100.200',
  ]) {
    const body = JSON.stringify({ issuer: issuer.url, jwks_uri: `https://${host}/realms/test/keys` })
    issuer.answers.set(configurationOf(issuer), { body })
    await assert.rejects(idsOf(providerOf(issuer)), lasting(/where only the issuer itself may be/), host)
  }
  assert.deepEqual(inside.requests, [])
})

test('a name that the system is slow to look up does not hold a question longer than its time', async () => {
  const asked = getJson(new URL('https://localhost/keys'), {
    host: 'issuer.example',
    thumbprints: [],
    signal: AbortSignal.abort(),
  })
  await assert.rejects(asked, passing(/localhost\/keys takes too long/))
})

test('an issuer that is away, is silent or breaks off may be right later', async (t) => {
  const issuer = await startIssuer(t)
  const provider = providerOf(issuer)
  issuer.answers.set(configurationOf(issuer), { silent: true })
  await assert.rejects(fetchIssuerKeys(provider, AbortSignal.timeout(300)), passing(/takes too long/))
  issuer.answers.set(configurationOf(issuer), { headers: { 'content-length': '100' }, body: '{}' })
  await assert.rejects(fetchIssuerKeys(provider, AbortSignal.timeout(1000)), passing(/takes too long|asked/))
  await issuer.stop()
  await assert.rejects(idsOf(provider), passing(/can't be asked \(ECONNREFUSED\)/))
  // Speaks no TLS, and says nothing.
  const mute = createServer(() => undefined).listen(0, '127.0.0.1')
  t.after(() => mute.close())
  await once(mute, 'listening')
  const address = mute.address()
  const name = `127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`
  await assert.rejects(
    fetchIssuerKeys({ ...provider, name }, AbortSignal.timeout(300)),
    passing(/takes too long/),
  )
  await assert.rejects(idsOf({ ...provider, name: 'issuer.invalid' }), passing(/ENOTFOUND|EAI_AGAIN/))
})
