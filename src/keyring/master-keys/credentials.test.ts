import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Credentials, type FoundCredentials } from './credentials.ts'

const options = { credentialsFile: undefined, profile: undefined, requestTimeout: 1000 }
const minute = 60_000

interface Source {
  readonly credentials: Credentials
  /** Who they are whose access key is given. */
  readonly ask: () => Promise<string>
  /** How often it was looked up. */
  readonly lookUps: () => number
  answer: () => Promise<FoundCredentials>
}

/** A source whose credentials have an end after so many milliseconds, or none, and are numbered. */
function source(lifetime: number | undefined): Source {
  let lookUps = 0
  const made = {
    lookUps: () => lookUps,
    answer: () =>
      Promise.resolve({
        accessKeyId: `number ${lookUps}`,
        secretAccessKey: 'an example',
        ...(lifetime !== undefined && { expiration: new Date(Date.now() + lifetime) }),
      }),
  }
  const credentials = new Credentials(options, () => {
    lookUps += 1
    return made.answer()
  })
  return Object.assign(made, {
    credentials,
    ask: async () => (await credentials.provide()).accessKeyId,
  })
}

/** Moves the time of day on. */
function clock(t: TestContext): (milliseconds: number) => void {
  t.mock.timers.enable({ apis: ['Date'], now: Date.parse('2026-03-01T12:00:00Z') })
  return (milliseconds) => {
    t.mock.timers.setTime(Date.now() + milliseconds)
  }
}

test('K4: what does not say when it ends is looked up each time, and the SDK asks again after a second', async () => {
  const { ask, credentials } = source(undefined)
  assert.deepEqual([await ask(), await ask()], ['number 1', 'number 2'])
  const { expiration } = await credentials.provide()
  // The SDK renews what has less than five minutes left.
  const asksAgainIn = (expiration?.getTime() ?? 0) - 5 * minute - Date.now()
  assert.ok(asksAgainIn > 0 && asksAgainIn <= 1000)
})

test('what says when it ends is kept until five minutes before', async (t) => {
  const pass = clock(t)
  const { ask } = source(60 * minute)
  assert.equal(await ask(), 'number 1')
  pass(54 * minute)
  assert.equal(await ask(), 'number 1')
  pass(minute)
  assert.equal(await ask(), 'number 2')
})

test('while their source is away they are used to their end, and the source is asked each time', async (t) => {
  const pass = clock(t)
  const from = source(60 * minute)
  await from.ask()
  const { answer } = from
  from.answer = () => Promise.reject(new Error('no way there'))
  pass(56 * minute)
  assert.deepEqual([await from.ask(), await from.ask(), from.lookUps()], ['number 1', 'number 1', 3])
  pass(4 * minute)
  await assert.rejects(from.ask(), {
    code: 'SR_KMS_CREDENTIALS',
    message:
      "no AWS credentials were to be had from the places where AWS's tools look (Error: no way there); it is tried again",
  })
  from.answer = answer
  assert.equal(await from.ask(), 'number 5')
})

test('what the KMS refused is looked up afresh', async () => {
  const { ask, credentials } = source(60 * minute)
  await ask()
  credentials.forget()
  assert.equal(await ask(), 'number 2')
})

test('a look-up that hangs ends before the call that waits for it, and says which file and profile it was', async () => {
  const place = { credentialsFile: '/etc/credentials', profile: 'databases', requestTimeout: 100 }
  const credentials = new Credentials(place, () => new Promise(() => undefined))
  await assert.rejects(credentials.provide(), {
    code: 'SR_KMS_CREDENTIALS',
    message: /had from \/etc\/credentials, profile databases \(no answer within 90 ms\)/,
  })
})

test('K6: an answer that is no JSON is not quoted', async () => {
  const from = source(undefined)
  // As of JSON.parse.
  const error = new SyntaxError(`Unexpected token 's', ..."sKey": secret}" is not valid JSON`)
  from.answer = () => Promise.reject(error)
  await assert.rejects(from.ask(), {
    message: /^no AWS [^"]* \(what their source answered is not JSON\); it is tried again$/,
  })
})
