import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordedCredentials, requireIssued, tokenSize } from './credentials.ts'

const session = {
  accessKeyId: 'ASIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'secret',
  sessionToken: 't'.repeat(64),
  expiresAt: new Date('2026-03-01T12:00:00.000Z'),
}

test('too many sessions are refused as a limit', () => {
  assert.throws(() => requireIssued(undefined), { exceptionName: 'LimitExceededException' })
  assert.equal(requireIssued(session), session)
})

test('the size of a token is told in bytes and percent of 4096', () => {
  assert.deepEqual(tokenSize(session), { SessionTokenSize: 64, SessionTokenUtilization: 2 })
  assert.deepEqual(tokenSize({ ...session, sessionToken: 't'.repeat(4096) }), {
    SessionTokenSize: 4096,
    SessionTokenUtilization: 100,
  })
})

test('the trail gets neither the secret nor the token', () => {
  const answer = {
    AccessKeyId: session.accessKeyId,
    SecretAccessKey: session.secretAccessKey,
    SessionToken: session.sessionToken,
    Expiration: session.expiresAt,
  }
  assert.deepEqual(recordedCredentials(answer), {
    accessKeyId: 'ASIAIOSFODNN7EXAMPLE',
    expiration: '2026-03-01T12:00:00Z',
  })
})
