import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import { type IssuerKey, newIssuerKey, part } from '../../../test/support/oidc-issuer.ts'
import type { OidcProvider } from '../state/oidc-providers.ts'
import { IssuerFailure } from './https-json.ts'
import { type FetchKeys, IssuerKeys } from './issuer-keys.ts'
import { verificationKey } from './signature-algorithms.ts'
import { readToken, type UnverifiedToken } from './web-identity-token.ts'

const provider: OidcProvider = {
  providerId: 'OIDCAAAAAAAAAAAAAAAA',
  name: 'issuer.example',
  arn: 'arn:aws:iam::111122223333:oidc-provider/issuer.example',
  clientIds: [],
  thumbprints: [],
  tags: new Map(),
  createdAt: new Date(0),
}
const [a, b] = [newIssuerKey('a', 'ES256'), newIssuerKey('b', 'ES256')]
const published = (...keys: IssuerKey[]) => keys.flatMap((key) => verificationKey(key.published) ?? [])
const tokenBy = (kid?: string): UnverifiedToken =>
  readToken(
    `${part({ alg: 'ES256', kid })}.${part({ iss: 'https://issuer.example', sub: 's', aud: 'a', iat: 1, exp: 2 })}.AAAA`,
  )
const unreachable = { exceptionName: 'IDPCommunicationError' }
const noKey = { exceptionName: 'InvalidIdentityToken', message: /Couldn't retrieve verification key/ }

/** An issuer of which the test says what it answers, and what time it is. */
function scene(fetch: FetchKeys) {
  let calls = 0
  let now = 0
  const lines: string[] = []
  const log = pino({}, { write: (line: string) => lines.push(line) })
  const counted: FetchKeys = (...args) => {
    calls++
    return fetch(...args)
  }
  const keys = new IssuerKeys(counted, log, () => now)
  return {
    keys,
    lines,
    find: async (kid?: string) => (await keys.for(provider, tokenBy(kid))).map(({ keyId }) => keyId),
    calls: () => calls,
    pass: (seconds: number): number => (now += seconds * 1000),
  }
}

test('keys are asked for once, by however many at the same time, and again after ten minutes', async () => {
  const { find, calls, pass } = scene(() => Promise.resolve(published(a, b)))
  const found = await Promise.all([find('a'), find('b'), find('a')])
  assert.deepEqual(found, [['a'], ['b'], ['a']])
  assert.equal(calls(), 1)
  pass(599)
  await find('a')
  assert.equal(calls(), 1)
  pass(2)
  await find('a')
  assert.equal(calls(), 2)
})

test('a new key is found, and one that there is not is asked for once in ten seconds', async () => {
  let now = published(a)
  const { find, calls, pass } = scene(() => Promise.resolve(now))
  await find('a')
  now = published(b)
  for (let n = 0; n < 50; n++) await assert.rejects(find(n % 2 === 0 ? 'b' : `x${String(n)}`), noKey)
  assert.equal(calls(), 1)
  pass(10)
  assert.deepEqual(await find('b'), ['b'])
  await assert.rejects(find('a'), noKey)
  assert.equal(calls(), 2)
})

test('a token without a key id is good where one key could have signed it', async () => {
  const rsa = newIssuerKey('r', 'RS256')
  const { find } = scene(() => Promise.resolve(published(a, rsa)))
  assert.deepEqual(await find(), ['a'])
  const two = scene(() => Promise.resolve(published(a, b)))
  await assert.rejects(two.find(), noKey)
})

test('while the issuer is away its keys hold for an hour, and it is asked rarely', async () => {
  let fetch: FetchKeys = () => Promise.resolve(published(a))
  const { find, calls, pass, lines } = scene((...args) => fetch(...args))
  await find('a')
  fetch = () => Promise.reject(new IssuerFailure('away', false))
  pass(3000)
  for (let n = 0; n < 10; n++) assert.deepEqual(await find('a'), ['a'])
  assert.equal(calls(), 2)
  await assert.rejects(find('b'), { ...unreachable, reason: 'away' })
  pass(599)
  assert.deepEqual(await find('a'), ['a'])
  pass(1)
  await assert.rejects(find('a'), unreachable)
  assert.equal(calls(), 3)
  assert.equal(lines.filter((line) => line.includes('"why":"away"')).length, 2)
  fetch = () => Promise.resolve(published(a))
  pass(8)
  await assert.rejects(find('a'), unreachable, 'no failure is asked about again so soon')
  pass(2)
  assert.deepEqual(await find('a'), ['a'])
})

test('an issuer that will not be right by waiting is told from one that is away', async () => {
  const { find } = scene(() => Promise.reject(new IssuerFailure('another issuer', true)))
  await assert.rejects(find('a'), { ...noKey, reason: 'another issuer' })
  const { find: other } = scene(() => Promise.reject(new Error('odd')))
  await assert.rejects(other('a'), { ...unreachable, reason: 'odd' })
})

test('so many wait and no more, but whoever has a known key', async () => {
  let release = (): void => undefined
  let first = true
  const { find, pass } = scene(async () => {
    if (first) first = false
    else await new Promise<void>((resolve) => (release = resolve))
    return published(a)
  })
  await find('a')
  pass(601)
  const waiting = Array.from({ length: 200 }, () => find('x'))
  assert.deepEqual(await find('a'), ['a'])
  await assert.rejects(find('x'), { exceptionName: 'ThrottlingException' })
  release()
  for (const one of await Promise.allSettled(waiting)) assert.equal(one.status, 'rejected')
})

test('a provider that was changed is asked anew', async () => {
  let calls = 0
  const keys = new IssuerKeys(
    () => Promise.resolve(published(a)).finally(() => calls++),
    pino({ level: 'silent' }),
    () => 0,
  )
  await keys.for(provider, tokenBy('a'))
  await keys.for({ ...provider, thumbprints: ['0'.repeat(40)] }, tokenBy('a'))
  assert.equal(calls, 2)
})

test('closing ends what is under way', async () => {
  const { keys, find } = scene(
    (_provider, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          reject(new IssuerFailure('ended', false))
        })
      }),
  )
  const under = assert.rejects(find('a'), unreachable)
  keys.close()
  await under
})
