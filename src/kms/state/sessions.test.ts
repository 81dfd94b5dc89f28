import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import { pino } from 'pino'
import type { Principal } from '../principal.ts'
import { RootKey } from '../seal/root-key.ts'
import { createDatabase } from './database.ts'
import { type IamState, openIam } from './iam.ts'
import type { Role } from './roles.ts'
import type { RoleSession } from './session-details.ts'
import { SessionPolicies } from './session-policies.ts'
import { SessionPrincipals } from './session-principals.ts'
import { type IssuedSession, Sessions } from './sessions.ts'

const accountId = '111122223333'
const log = pino({ level: 'silent' })
const now = new Date('2026-01-01T00:00:00.500Z')
const after = (seconds: number): Date => new Date(now.getTime() + seconds * 1000)

interface Fixture {
  readonly database: DatabaseSync
  readonly iam: IamState
  readonly sessions: Sessions
  /** What a restart would load. */
  readonly reopened: () => Sessions
}

function fixture(t: TestContext): Fixture {
  const directory = mkdtempSync(join(tmpdir(), 'strongroom-sessions-'))
  const database = createDatabase(join(directory, 'kms.db'), () => undefined)
  t.after(() => {
    database.close()
    rmSync(directory, { recursive: true })
  })
  const rootKey = new RootKey(randomBytes(32))
  const iam = openIam(database, rootKey, accountId, log)
  const principals = new SessionPrincipals(accountId, iam, new SessionPolicies(iam.managedPolicies, log))
  const open = (): Sessions => new Sessions(database, rootKey, principals)
  return { database, iam, sessions: open(), reopened: open }
}

function createUser({ users }: IamState) {
  return users.create({ userName: 'alice', path: '/', tags: new Map([['team', 'db']]) })
}

function createRole({ roles }: IamState): Role {
  return roles.create(
    {
      roleName: 'operator',
      path: '/',
      tags: new Map([
        ['Team', 'db'],
        ['site', 'north'],
      ]),
    },
    {
      description: undefined,
      maxSessionSeconds: 3600,
      trust: { document: '{}', principalIds: new Map() },
    },
  )
}

function roleSession({ roleId }: Role, more: Partial<RoleSession> = {}): RoleSession {
  return {
    kind: 'role',
    roleId,
    sessionName: 'shift',
    tags: [],
    transitiveTagKeys: [],
    policyArns: [],
    ...more,
  }
}

function issue(
  sessions: Sessions,
  details: Parameters<Sessions['issue']>[0],
  more: { now?: Date; seconds?: number; minimumTokenSize?: number } = {},
): IssuedSession {
  const session = sessions.issue(details, { now, seconds: 900, minimumTokenSize: 0, ...more })
  assert.ok(session !== undefined)
  return session
}

function principalOf(sessions: Sessions, { accessKeyId }: IssuedSession): Principal {
  const found = sessions.find(accessKeyId)
  assert.ok(found !== undefined)
  return found.principal
}

test('credentials have the forms of Amazon’s, and are others each time', (t) => {
  const { sessions } = fixture(t)
  const one = issue(sessions, { kind: 'user', userId: null })
  const two = issue(sessions, { kind: 'user', userId: null })
  assert.match(one.accessKeyId, /^ASIA[A-Z2-7]{16}$/)
  assert.match(one.secretAccessKey, /^[A-Za-z0-9+/]{40}$/)
  assert.match(one.sessionToken, /^[A-Za-z0-9+/]{64}$/)
  assert.notEqual(one.accessKeyId, two.accessKeyId)
  assert.notEqual(one.secretAccessKey, two.secretAccessKey)
  assert.notEqual(one.sessionToken, two.sessionToken)
})

test('they expire as told, in whole seconds', (t) => {
  const { sessions } = fixture(t)
  const session = issue(sessions, { kind: 'user', userId: null }, { seconds: 1000 })
  assert.equal(session.expiresAt.toISOString(), '2026-01-01T00:16:40.000Z')
  assert.deepEqual(sessions.find(session.accessKeyId)?.expiresAt, session.expiresAt)
})

test('the secret and the token are known again, also after a restart', (t) => {
  const { sessions, reopened } = fixture(t)
  const session = issue(sessions, { kind: 'user', userId: null })
  for (const one of [sessions, reopened()]) {
    const found = one.find(session.accessKeyId)
    assert.equal(found?.secretAccessKey().toString(), session.secretAccessKey)
    assert.equal(found.tokenMatches(session.sessionToken), true)
    assert.equal(found.tokenMatches(`${session.sessionToken}A`), false)
    assert.equal(found.tokenMatches(session.sessionToken.slice(0, -1)), false)
    assert.equal(found.tokenMatches(''), false)
    assert.equal(found.tokenMatches(issue(sessions, { kind: 'user', userId: null }).sessionToken), false)
  }
})

test('a token is as large as asked for', (t) => {
  const { sessions } = fixture(t)
  for (const minimumTokenSize of [0, 1, 64, 65, 1000, 4095, 4096]) {
    const { sessionToken } = issue(sessions, { kind: 'user', userId: null }, { minimumTokenSize })
    assert.ok(sessionToken.length >= Math.max(64, minimumTokenSize), `${minimumTokenSize}`)
    assert.ok(sessionToken.length < Math.max(64, minimumTokenSize) + 4, `${minimumTokenSize}`)
  }
})

test('neither the secret nor the token is in the database', (t) => {
  const { sessions, database } = fixture(t)
  const { secretAccessKey, sessionToken } = issue(sessions, { kind: 'user', userId: null })
  const rows = database.prepare('SELECT * FROM sessions').all()
  assert.equal(rows.length, 1)
  const stored = Buffer.concat(
    Object.values(rows[0] ?? {}).map((value) =>
      value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(String(value)),
    ),
  )
  assert.ok(!stored.includes(secretAccessKey))
  assert.ok(!stored.includes(sessionToken))
})

test('a user’s session is the user as it is now', (t) => {
  const { sessions, iam } = fixture(t)
  const user = createUser(iam)
  const session = issue(sessions, { kind: 'user', userId: user.userId, mfaAuthenticatedAt: now.getTime() })
  const before = principalOf(sessions, session)
  assert.equal(before.type, 'IAMUser')
  assert.equal(before.arn, 'arn:aws:iam::111122223333:user/alice')
  assert.equal(before.principalId, user.userId)
  assert.equal(before.accessKeyId, session.accessKeyId)
  assert.deepEqual(before.session, {
    issuedAt: now,
    expiresAt: session.expiresAt,
    mfaAuthenticatedAt: now,
    policies: undefined,
    sourceIdentity: undefined,
    transitiveTagKeys: [],
  })
  assert.equal(principalOf(sessions, session), before)
  iam.users.rename(user, 'alicia', '/staff/')
  assert.equal(principalOf(sessions, session).arn, 'arn:aws:iam::111122223333:user/staff/alicia')
})

test('without a code a session is not authenticated by MFA', (t) => {
  const { sessions, iam } = fixture(t)
  const session = issue(sessions, { kind: 'user', userId: createUser(iam).userId })
  assert.equal(principalOf(sessions, session).session?.mfaAuthenticatedAt, undefined)
})

test('a session ends with its user, also when another of the name comes', (t) => {
  const { sessions, iam } = fixture(t)
  const user = createUser(iam)
  const session = issue(sessions, { kind: 'user', userId: user.userId })
  iam.users.delete(user)
  assert.equal(sessions.find(session.accessKeyId), undefined)
  createUser(iam)
  assert.equal(sessions.find(session.accessKeyId), undefined)
})

test('a session ends with its role', (t) => {
  const { sessions, iam } = fixture(t)
  const role = createRole(iam)
  const session = issue(sessions, roleSession(role))
  assert.ok(sessions.find(session.accessKeyId) !== undefined)
  iam.roles.delete(role)
  assert.equal(sessions.find(session.accessKeyId), undefined)
})

test('a role’s session is the role with the session’s name, tags and source identity', (t) => {
  const { sessions, iam } = fixture(t)
  const role = createRole(iam)
  const details = roleSession(role, {
    tags: [
      ['team', 'web'],
      ['__proto__', 'x'],
    ],
    transitiveTagKeys: ['team'],
    sourceIdentity: 'alice',
  })
  const session = issue(sessions, details)
  const principal = principalOf(sessions, session)
  assert.equal(principal.type, 'AssumedRole')
  assert.equal(principal.arn, 'arn:aws:sts::111122223333:assumed-role/operator/shift')
  assert.equal(principal.principalId, `${role.roleId}:shift`)
  assert.equal(principal.role.arn, 'arn:aws:iam::111122223333:role/operator')
  assert.deepEqual([...principal.tags].sort(), [
    ['__proto__', 'x'],
    ['site', 'north'],
    ['team', 'web'],
  ])
  assert.equal(principal.session.sourceIdentity, 'alice')
  assert.deepEqual(principal.session.transitiveTagKeys, ['team'])
  assert.equal(principal.session.mfaAuthenticatedAt, undefined)
  iam.roles.setTags(role, new Map([['site', 'south']]))
  assert.equal(principalOf(sessions, session).tags.get('site'), 'south')
})

test('the root user’s session is the root user', (t) => {
  const { sessions } = fixture(t)
  const principal = principalOf(sessions, issue(sessions, { kind: 'user', userId: null }))
  assert.equal(principal.type, 'Root')
  assert.equal(principal.arn, 'arn:aws:iam::111122223333:root')
  assert.deepEqual(principal.session?.issuedAt, now)
})

const allow = (action: string): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: action, Resource: '*' }],
  })

test('session policies are those of the request and the managed ones as they are now', (t) => {
  const { sessions, iam } = fixture(t)
  const managed = iam.managedPolicies.create({
    policyName: 'limits',
    path: '/',
    description: undefined,
    tags: new Map(),
    document: allow('kms:Encrypt'),
  })
  const role = createRole(iam)
  const details = roleSession(role, { policy: allow('kms:Decrypt'), policyArns: [managed.arn] })
  const session = issue(sessions, details)
  const policies = () => principalOf(sessions, session).session?.policies ?? []
  assert.deepEqual(
    policies().map(({ source, document }) => [source, document.statements.length]),
    [
      ['session policy', 1],
      ['arn:aws:iam::111122223333:policy/limits', 1],
    ],
  )
  const before = policies()
  assert.equal(policies(), before, 'parsed once')
  iam.managedPolicies.addVersion(managed, allow('kms:List*'), true)
  assert.notDeepEqual(policies()[1]?.document, before[1]?.document)
  iam.managedPolicies.delete(managed)
  assert.deepEqual(policies()[1]?.document, { statements: [] }, 'a policy that is gone allows nothing')
  const unlimited = principalOf(sessions, issue(sessions, roleSession(role)))
  assert.ok(unlimited.session !== undefined)
  assert.equal(unlimited.session.policies, undefined)
})

test('expired credentials are known for a day, then forgotten', (t) => {
  const { sessions, database } = fixture(t)
  const session = issue(sessions, { kind: 'user', userId: null }, { seconds: 900 })
  sessions.forgetExpired(after(900 + 86_400 - 1))
  assert.deepEqual(sessions.find(session.accessKeyId)?.expiresAt, session.expiresAt)
  sessions.forgetExpired(after(900 + 86_400 + 1))
  assert.equal(sessions.find(session.accessKeyId), undefined)
  assert.equal(database.prepare('SELECT count(*) AS n FROM sessions').get()?.['n'], 0)
})

test('issuing forgets what expired more than a day ago', (t) => {
  const { sessions, database } = fixture(t)
  issue(sessions, { kind: 'user', userId: null })
  issue(sessions, { kind: 'user', userId: null }, { now: after(900 + 86_400 + 1) })
  assert.equal(database.prepare('SELECT count(*) AS n FROM sessions').get()?.['n'], 1)
})

test('a user has at most 10,000 live sessions; expired ones make room', (t) => {
  const { sessions, iam, database } = fixture(t)
  database.exec('PRAGMA synchronous = OFF; BEGIN')
  const details = { kind: 'user', userId: null } as const
  const options = { now, seconds: 900, minimumTokenSize: 0 }
  for (let i = 0; i < 10_000; i++) assert.ok(sessions.issue(details, options) !== undefined)
  database.exec('COMMIT')
  assert.equal(sessions.issue(details, options), undefined)
  assert.ok(sessions.issue({ kind: 'user', userId: createUser(iam).userId }, options) !== undefined)
  const later = issue(sessions, details, { now: after(901) })
  assert.ok(sessions.find(later.accessKeyId) !== undefined)
  assert.equal(database.prepare('SELECT count(*) AS n FROM sessions').get()?.['n'], 2)
})

test('sessions with much about them are fewer: some 8 MB of one role’s', (t) => {
  const { sessions, iam } = fixture(t)
  const role = createRole(iam)
  const details = roleSession(role, { tags: [['k', 'v'.repeat(2 ** 20)]] })
  const options = { now, seconds: 900, minimumTokenSize: 0 }
  for (let i = 0; i < 8; i++) assert.ok(sessions.issue(details, options) !== undefined)
  assert.equal(sessions.issue(details, options), undefined)
  assert.ok(sessions.issue({ kind: 'user', userId: null }, options) !== undefined)
  assert.ok(sessions.issue(details, { ...options, now: after(901) }) !== undefined)
  assert.ok(sessions.issue(details, { ...options, now: after(901) }) !== undefined)
})

test('a row of which any part was changed gives no secret', (t) => {
  const { sessions, iam, database, reopened } = fixture(t)
  const user = createUser(iam)
  const mine = issue(sessions, { kind: 'user', userId: user.userId })
  const other = issue(sessions, { kind: 'user', userId: user.userId })
  const root = JSON.stringify({ kind: 'user', userId: null })
  let changes = 0
  for (const change of [
    `details = '${root}'`,
    'expires_at = expires_at + 1',
    'issued_at = issued_at + 1',
    `token_hash = (SELECT token_hash FROM sessions WHERE access_key_id = '${other.accessKeyId}')`,
    `sealed_secret = (SELECT sealed_secret FROM sessions WHERE access_key_id = '${other.accessKeyId}')`,
  ]) {
    database.exec('SAVEPOINT before')
    database.exec(`UPDATE sessions SET ${change} WHERE access_key_id = '${mine.accessKeyId}'`)
    const found = reopened().find(mine.accessKeyId)
    assert.throws(() => found?.secretAccessKey(), { code: 'SR_KMS_DATABASE_DAMAGED' }, change)
    database.exec('ROLLBACK TO before')
    changes++
  }
  assert.equal(changes, 5)
  assert.equal(reopened().find(mine.accessKeyId)?.secretAccessKey().toString(), mine.secretAccessKey)
})
