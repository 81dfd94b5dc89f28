import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withoutSecrets, withSession } from './command-environment.ts'

const ours = {
  PATH: '/bin',
  AWS_REGION: 'us-west-2',
  AWS_PROFILE: 'operator',
  AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'long-term',
  AWS_SESSION_TOKEN: 'old token',
  AWS_SECURITY_TOKEN: 'old token',
  AWS_CONTAINER_AUTHORIZATION_TOKEN: 'Bearer secret',
  AWS_WEB_IDENTITY_TOKEN_FILE: '/run/token',
  AWS_ROLE_ARN: 'arn:aws:iam::111122223333:role/other',
}

test('the command has none of our credentials', () => {
  assert.deepEqual(withoutSecrets(ours), {
    PATH: '/bin',
    AWS_REGION: 'us-west-2',
    AWS_PROFILE: 'operator',
    AWS_WEB_IDENTITY_TOKEN_FILE: '/run/token',
    AWS_ROLE_ARN: 'arn:aws:iam::111122223333:role/other',
  })
})

test('with --env it has all three values of the session, and nothing that another identity could come from', () => {
  const session = {
    accessKeyId: 'ASIAIOSFODNN7EXAMPLE',
    secretAccessKey: 'short-term',
    sessionToken: 'token',
    expiration: new Date('2026-03-01T12:15:00Z'),
  }
  assert.deepEqual(withSession(ours, session), {
    PATH: '/bin',
    AWS_REGION: 'us-west-2',
    AWS_ACCESS_KEY_ID: 'ASIAIOSFODNN7EXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'short-term',
    AWS_SESSION_TOKEN: 'token',
    AWS_CREDENTIAL_EXPIRATION: '2026-03-01T12:15:00.000Z',
  })
})
