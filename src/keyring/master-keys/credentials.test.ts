import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { KMSClient } from '@aws-sdk/client-kms'
import { messageOf } from '../../errors.ts'
import { scratchDirectory } from '../../../test/support/scratch.ts'
import { Credentials, type FoundCredentials } from './credentials.ts'

const options = { credentialsFile: undefined, profile: undefined, requestTimeout: 1000 }
const minute = 60_000

interface Source {
  readonly credentials: Credentials
  /** Who they are whose access key is given. */
  readonly ask: () => Promise<string>
  /** How often it was looked up. */
  readonly lookUps: () => number
  /** Lets so many milliseconds pass that no clock says back. */
  readonly pass: (milliseconds: number) => void
  answer: () => Promise<FoundCredentials>
}

/** A source whose credentials have an end after so many milliseconds, or none, and are numbered. */
function source(lifetime: number | undefined): Source {
  let lookUps = 0
  let now = 0
  const made = {
    lookUps: () => lookUps,
    pass: (milliseconds: number) => {
      now += milliseconds
    },
    answer: () =>
      Promise.resolve({
        accessKeyId: `number ${lookUps}`,
        secretAccessKey: 'an example',
        ...(lifetime !== undefined && { expiration: new Date(Date.now() + lifetime) }),
      }),
  }
  const lookUp = () => {
    lookUps += 1
    return made.answer()
  }
  const credentials = new Credentials(options, lookUp, () => now)
  return Object.assign(made, {
    credentials,
    ask: async () => (await credentials.provide()).accessKeyId,
  })
}

/** Moves the time of day, and what the source's other clock says. */
function clock(t: TestContext, from?: Source): (milliseconds: number) => void {
  t.mock.timers.enable({ apis: ['Date'], now: Date.parse('2026-03-01T12:00:00Z') })
  return (milliseconds) => {
    t.mock.timers.setTime(Date.now() + milliseconds)
    from?.pass(milliseconds)
  }
}

/** The access key by which a client of the SDK would sign. */
function signer({ credentials }: Source): () => Promise<string> {
  const client = new KMSClient({ region: 'us-east-1', credentials: credentials.provide })
  return async () => (await client.config.credentials()).accessKeyId
}

test('K4: what does not say when it ends is looked up again a second later', async () => {
  const from = source(undefined)
  const ask = signer(from)
  assert.deepEqual([await ask(), await ask()], ['number 1', 'number 1'])
  from.pass(999)
  assert.equal(await ask(), 'number 1')
  from.pass(1)
  assert.deepEqual([await ask(), await ask(), from.lookUps()], ['number 2', 'number 2', 2])
})

test('K4: a clock that is set back keeps nothing for longer', async (t) => {
  const from = source(undefined)
  const ask = signer(from)
  const set = clock(t)
  assert.equal(await ask(), 'number 1')
  set(-24 * 60 * minute)
  from.pass(1000)
  assert.equal(await ask(), 'number 2')
})

test('what says when it ends is kept until five minutes before', async (t) => {
  const from = source(60 * minute)
  const pass = clock(t, from)
  const { ask } = from
  assert.equal(await ask(), 'number 1')
  pass(54 * minute)
  assert.equal(await ask(), 'number 1')
  pass(minute)
  assert.equal(await ask(), 'number 2')
})

test('while their source is away they are used to their end, and the source is asked each second', async (t) => {
  const from = source(60 * minute)
  const pass = clock(t, from)
  await from.ask()
  const { answer } = from
  from.answer = () => Promise.reject(new Error('no way there'))
  pass(56 * minute)
  assert.deepEqual([await from.ask(), await from.ask(), from.lookUps()], ['number 1', 'number 1', 2])
  pass(1000)
  assert.deepEqual([await from.ask(), from.lookUps()], ['number 1', 3])
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
  for (const lifetime of [60 * minute, undefined]) {
    const from = source(lifetime)
    const ask = signer(from)
    assert.equal(await ask(), 'number 1')
    from.credentials.forget()
    assert.equal(await ask(), 'number 2')
  }
})

test('what was found is not used when it may have been taken away since', async () => {
  const from = source(undefined)
  await from.ask()
  from.answer = () => Promise.reject(new Error('gone'))
  from.pass(1000)
  for (let n = 0; n < 2; n++) await assert.rejects(from.ask(), { code: 'SR_KMS_CREDENTIALS' })
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
    message: /^no AWS [^"]* \(SyntaxError: what was read there is not JSON\); it is tried again$/,
  })
})

test('K6: neither the arguments of a program nor what it writes to stderr is quoted', async (t) => {
  const credentialsFile = join(scratchDirectory(t), 'credentials')
  writeFileSync(
    credentialsFile,
    '[default]\ncredential_process = sh -c "echo secret >&2; exit 3" --key secret\n',
  )
  const credentials = new Credentials({ ...options, credentialsFile, requestTimeout: 30_000 })
  await assert.rejects(credentials.provide(), {
    message: `no AWS credentials were to be had from ${credentialsFile} (CredentialsProviderError: the program failed; run it by hand); it is tried again`,
  })
})

test('look-ups that never end do not become ever more of them', async () => {
  let lookUps = 0
  let end = (): void => undefined
  const ended = new Promise<never>((_resolve, reject) => {
    end = () => {
      reject(new Error('killed'))
    }
  })
  const credentials = new Credentials({ ...options, requestTimeout: 10 }, () => {
    lookUps += 1
    return ended
  })
  const ask = () => credentials.provide().then(() => 'found', messageOf)
  for (let n = 0; n < 8; n++) assert.match(await ask(), /no answer within 9 ms/)
  for (let n = 0; n < 8; n++) assert.match(await ask(), /8 look-ups hang there already/)
  assert.equal(lookUps, 8)
  end()
  await assert.rejects(ended)
  assert.match(await ask(), /killed/)
  assert.equal(lookUps, 9)
})
