import type { AssumedRole, IamUser, RootUser, Session } from '../../src/kms/principal.ts'

/* For tests of policies: who may ask. */

export const accountId = '111122223333'
export const rootArn = `arn:aws:iam::${accountId}:root`
export const aliceArn = `arn:aws:iam::${accountId}:user/alice`
export const bobArn = `arn:aws:iam::${accountId}:user/team/bob`
export const deployArn = `arn:aws:iam::${accountId}:role/deploy`
export const deploySessionArn = `arn:aws:sts::${accountId}:assumed-role/deploy/nightly`
export const testKeyArn = `arn:aws:kms:us-east-1:${accountId}:key/00112233-4455-6677-8899-aabbccddeeff`

export const root: RootUser = {
  type: 'Root',
  accountId,
  arn: rootArn,
  principalId: accountId,
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  tags: new Map(),
  session: undefined,
}

export const alice: IamUser = {
  ...root,
  type: 'IAMUser',
  arn: aliceArn,
  principalId: 'AIDAALICE',
  userName: 'alice',
}

export const bob: IamUser = { ...alice, arn: bobArn, principalId: 'AIDABOB', userName: 'bob' }

export const plainSession: Session = {
  issuedAt: new Date('2030-01-01T00:00:00Z'),
  expiresAt: new Date('2030-01-01T12:00:00Z'),
  mfaAuthenticatedAt: undefined,
  policies: undefined,
  sourceIdentity: undefined,
  transitiveTagKeys: [],
}

/** A session of the role `deploy`. */
export const nightly: AssumedRole = {
  ...root,
  type: 'AssumedRole',
  arn: deploySessionArn,
  principalId: 'AROADEPLOY:nightly',
  role: { arn: deployArn, roleId: 'AROADEPLOY', roleName: 'deploy' },
  sessionName: 'nightly',
  session: plainSession,
}
