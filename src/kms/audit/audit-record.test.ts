import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AssumedRole, IamUser, RootUser, Session } from '../principal.ts'
import { AwsException } from '../protocol/exceptions.ts'
import { type Attempt, auditRecord } from './audit-record.ts'
import { isRecorded, recordedParameters } from './recorded-parameters.ts'
import { serviceEventRecord } from './service-event.ts'

const account = { accountId: '111122223333', region: 'eu-west-1' }
const keyArn = 'arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'
const identity = {
  accountId: '111122223333',
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  tags: new Map<string, string>(),
}
const root: RootUser = {
  ...identity,
  type: 'Root',
  arn: 'arn:aws:iam::111122223333:root',
  principalId: '111122223333',
  session: undefined,
}
const session: Session = {
  issuedAt: new Date('2026-11-25T04:36:49.700Z'),
  expiresAt: new Date('2026-11-25T05:36:49Z'),
  mfaAuthenticatedAt: undefined,
  policies: undefined,
  sourceIdentity: undefined,
  transitiveTagKeys: [],
}
const user: IamUser = {
  ...identity,
  type: 'IAMUser',
  arn: 'arn:aws:iam::111122223333:user/db/alice',
  principalId: 'AIDAEXAMPLE',
  userName: 'alice',
  session: undefined,
}
const role: AssumedRole = {
  ...identity,
  type: 'AssumedRole',
  arn: 'arn:aws:sts::111122223333:assumed-role/backup/nightly',
  principalId: 'AROAEXAMPLE:nightly',
  role: { arn: 'arn:aws:iam::111122223333:role/backup', roleId: 'AROAEXAMPLE', roleName: 'backup' },
  sessionName: 'nightly',
  session: { ...session, sourceIdentity: 'alice' },
}

function attempt(more: Partial<Attempt>): Attempt {
  return {
    eventName: 'Decrypt',
    service: 'kms',
    readOnly: true,
    requestId: 'a-request',
    eventId: 'an-event',
    receivedAt: new Date('2026-11-25T04:40:00.900Z'),
    sourceIp: '192.0.2.1',
    userAgent: 'aws-cli/2',
    tls: undefined,
    caller: root,
    claimedAccessKeyId: undefined,
    seen: { requestParameters: { encryptionContext: { a: 'b' } }, keyArns: [keyArn] },
    exception: undefined,
    ...more,
  }
}

test('a record has the fields of CloudTrail', () => {
  assert.deepEqual(auditRecord(attempt({}), account), {
    eventVersion: '1.11',
    userIdentity: {
      type: 'Root',
      principalId: '111122223333',
      arn: 'arn:aws:iam::111122223333:root',
      accountId: '111122223333',
      accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    },
    eventTime: '2026-11-25T04:40:00Z',
    eventSource: 'kms.amazonaws.com',
    eventName: 'Decrypt',
    awsRegion: 'eu-west-1',
    sourceIPAddress: '192.0.2.1',
    userAgent: 'aws-cli/2',
    requestParameters: { encryptionContext: { a: 'b' } },
    responseElements: null,
    requestID: 'a-request',
    eventID: 'an-event',
    readOnly: true,
    resources: [{ accountId: '111122223333', type: 'AWS::KMS::Key', ARN: keyArn }],
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: '111122223333',
    eventCategory: 'Management',
  })
})

test('it says of temporary credentials whose they are, since when, and whether an MFA code was shown', () => {
  const identityOf = (caller: Attempt['caller']): unknown =>
    auditRecord(attempt({ caller }), account)['userIdentity']
  const ofUser = {
    type: 'IAMUser',
    principalId: 'AIDAEXAMPLE',
    arn: 'arn:aws:iam::111122223333:user/db/alice',
    accountId: '111122223333',
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    userName: 'alice',
  }
  assert.deepEqual(identityOf(user), ofUser)
  const attributes = { creationDate: '2026-11-25T04:36:49Z', mfaAuthenticated: 'false' }
  assert.deepEqual(identityOf({ ...user, session }), { ...ofUser, sessionContext: { attributes } })
  const withMfa = { ...session, mfaAuthenticatedAt: session.issuedAt }
  assert.deepEqual(identityOf({ ...user, session: withMfa }), {
    ...ofUser,
    sessionContext: { attributes: { ...attributes, mfaAuthenticated: 'true' } },
  })
  assert.deepEqual(identityOf(role), {
    type: 'AssumedRole',
    principalId: 'AROAEXAMPLE:nightly',
    arn: 'arn:aws:sts::111122223333:assumed-role/backup/nightly',
    accountId: '111122223333',
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    sessionContext: {
      sessionIssuer: {
        type: 'Role',
        principalId: 'AROAEXAMPLE',
        arn: 'arn:aws:iam::111122223333:role/backup',
        accountId: '111122223333',
        userName: 'backup',
      },
      attributes,
      sourceIdentity: 'alice',
    },
  })
})

test('it says how the connection was encrypted, and what was refused, in the words of the protocol', () => {
  const tls = { tlsVersion: 'TLSv1.3', cipherSuite: 'TLS_AES_128_GCM_SHA256' }
  assert.deepEqual(auditRecord(attempt({ tls }), account)['tlsDetails'], tls)
  const exception = new AwsException('AccessDeniedException', 'no')
  const codes = ['kms', 'cloudtrail', 'iam', 'sts'].map((service) => {
    const { errorCode, errorMessage } = auditRecord(attempt({ service, exception }), account)
    return [service, errorCode, errorMessage]
  })
  assert.deepEqual(codes, [
    ['kms', 'AccessDeniedException', 'no'],
    ['cloudtrail', 'AccessDeniedException', 'no'],
    ['iam', 'AccessDenied', 'no'],
    ['sts', 'AccessDenied', 'no'],
  ])
})

test('what the service does by itself is an event of the service', () => {
  const record = serviceEventRecord({
    eventName: 'RotateKey',
    account,
    keyArns: [keyArn],
    details: { keyId: '1234abcd', rotationType: 'AUTOMATIC' },
    time: new Date('2026-11-25T04:40:00Z'),
  })
  assert.deepEqual(
    { ...record, eventID: undefined },
    {
      eventVersion: '1.11',
      userIdentity: { accountId: '111122223333', invokedBy: 'AWS Internal' },
      eventTime: '2026-11-25T04:40:00Z',
      eventSource: 'kms.amazonaws.com',
      eventName: 'RotateKey',
      awsRegion: 'eu-west-1',
      sourceIPAddress: 'AWS Internal',
      userAgent: 'AWS Internal',
      requestParameters: null,
      responseElements: null,
      eventID: undefined,
      readOnly: false,
      resources: [{ accountId: '111122223333', type: 'AWS::KMS::Key', ARN: keyArn }],
      eventType: 'AwsServiceEvent',
      managementEvent: true,
      recipientAccountId: '111122223333',
      serviceEventDetails: { keyId: '1234abcd', rotationType: 'AUTOMATIC' },
      eventCategory: 'Management',
    },
  )
})

test('no member that holds a secret, or stands for a right, is recorded', () => {
  const secret = [
    'Plaintext',
    'CiphertextBlob',
    'EncryptedKeyMaterial',
    'ImportToken',
    'GrantToken',
    'GrantTokens',
    'SecretAccessKey',
    'SessionToken',
    'AuthenticationCode1',
    'AuthenticationCode2',
    'TokenCode',
    'Base32StringSeed',
    'QRCodePNG',
    'EncodedMessage',
    'NextToken',
  ]
  assert.deepEqual(secret.filter(isRecorded), [])
  assert.deepEqual(
    recordedParameters({
      ...Object.fromEntries(secret.map((name) => [name, 'secret'])),
      Tags: [{ TagKey: 'a', TagValue: 'b' }],
      Policy: '{}',
      EncryptionContext: new Map([['Key', 'value']]),
    }),
    { tags: [{ tagKey: 'a', tagValue: 'b' }], policy: '{}', encryptionContext: { Key: 'value' } },
  )
})
