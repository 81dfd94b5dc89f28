import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explainAwsError } from '../aws/errors.ts'
import { StrongroomError } from '../errors.ts'
import { fateOf } from './fate.ts'

const answered = (name: string, httpStatusCode: number): Error =>
  Object.assign(new Error('as it says'), { name, $metadata: { httpStatusCode } })
const unanswered = (code: string): Error =>
  Object.assign(new Error(code), { code, $metadata: { attempts: 1 } })
const named = (name: string): Error => Object.assign(new Error(name), { name })

for (const [what, error, fate] of [
  ['a refusal', answered('AccessDeniedException', 400), 'refused'],
  ['a key in the wrong state', answered('KMSInvalidStateException', 400), 'refused'],
  ['throttling', answered('ThrottlingException', 400), 'again'],
  ['an error of the KMS, which may have done it', answered('KMSInternalException', 500), 'unknown'],
  ['a proxy that has no answer', answered('UnknownError', 502), 'unknown'],
  ['a connection that was refused', unanswered('ECONNREFUSED'), 'again'],
  ['a name that is not known', unanswered('ENOTFOUND'), 'again'],
  ['a connection that broke', unanswered('ECONNRESET'), 'unknown'],
  ['no answer in time', named('TimeoutError'), 'unknown'],
  ['an answer that is not waited for any more', named('AbortError'), 'unknown'],
  ['no credentials', named('CredentialsProviderError'), 'refused'],
] as const) {
  test(`${what}: ${fate}`, () => {
    assert.equal(fateOf(error), fate)
    assert.equal(fateOf(explainAwsError(error, { doing: 'enable it', endpoint: 'AWS' })), fate)
  })
}

test('what was never sent did nothing', () => {
  assert.equal(fateOf(new StrongroomError('SR_WINDOW_REFUSED', 'the window was over')), 'refused')
})
