import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { describe, test, type TestContext } from 'node:test'
import fc from 'fast-check'
import { pino } from 'pino'
import { scratchDatabase } from '../../../test/support/key-store.ts'
import type { Principal } from '../principal.ts'
import { RootKey } from '../seal/root-key.ts'
import { type Grant, Grants, type GrantsOptions } from './grants.ts'

const key = { keyId: '00112233-4455-6677-8899-aabbccddeeff' }

const user = (principalId: string): Principal => ({
  type: 'IAMUser',
  accountId: '111122223333',
  arn: `arn:aws:iam::111122223333:user/${principalId}`,
  principalId,
  userName: principalId,
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  tags: new Map(),
  session: undefined,
})

interface Fixture {
  readonly database: DatabaseSync
  readonly rootKey: RootKey
  readonly open: (options?: Partial<GrantsOptions>, rootKey?: RootKey) => Grants
  readonly lines: string[]
}

function fixture(t: TestContext): Fixture {
  const database = scratchDatabase(t)
  database
    .prepare(
      "INSERT INTO keys (region, key_id, description, enabled, policy, created_at) VALUES (?, ?, '', 1, '', 0)",
    )
    .run('us-east-1', key.keyId)
  const rootKey = new RootKey(randomBytes(32))
  const lines: string[] = []
  const log = pino({ level: 'error' }, { write: (line: string) => lines.push(line) })
  return {
    ...{ database, rootKey, lines },
    open: (options = {}, ofKey = rootKey) =>
      new Grants(database, ofKey, { region: 'us-east-1', log, ...options }),
  }
}

function make(grants: Grants, id: string, more: Partial<Grant> = {}): Grant {
  return grants.create({
    keyId: key.keyId,
    name: 'n',
    granteePrincipal: user(id).arn,
    granteeId: id,
    retiringPrincipal: user('R').arn,
    retiringId: 'R',
    operations: ['Encrypt'],
    constraints: { encryptionContextSubset: new Map([['a', '1']]) },
    ...more,
  })
}

describe('Grants', () => {
  test('what is read is what was made', (t) => {
    const { open } = fixture(t)
    const grants = open()
    for (const more of [
      {},
      { name: undefined, retiringPrincipal: undefined, retiringId: undefined, constraints: undefined },
      { granteePrincipal: 'arn:aws:iam::111122223333:root', granteeId: undefined },
      { constraints: { encryptionContextEquals: new Map([['__proto__', '']]) } },
      { constraints: { encryptionContextEquals: new Map() } },
    ]) {
      const made = make(grants, 'A', more)
      const read = open().get(made.grantId)
      assert.deepEqual(
        { ...read, constraints: undefinedAsAbsent(read?.constraints) },
        { ...made, constraints: undefinedAsAbsent(made.constraints) },
      )
    }
  })

  test('a row that was altered in whatever way allows nothing, and is logged', (t) => {
    const { database, open, lines } = fixture(t)
    make(open(), 'A')
    make(open(), 'A', { operations: ['Decrypt'] })
    const alterations = [
      `grant_id = '${'0'.repeat(64)}'`,
      "name = 'm'",
      'name = NULL',
      "grantee_principal = 'arn:aws:iam::111122223333:user/B'",
      'retiring_principal = grantee_principal',
      "retiring_id = 'A'",
      `operations = '["Encrypt","Decrypt"]'`,
      'constraints = NULL',
      `constraints = '{"equals":[["a","1"]]}'`,
      'created_at = created_at - 1',
      'tag = zeroblob(32)',
      "tag = x''",
      `tag = (SELECT tag FROM grants WHERE operations = '["Decrypt"]')`,
    ]
    for (const alteration of alterations) {
      database.exec('BEGIN')
      database.exec(`UPDATE grants SET ${alteration} WHERE operations = '["Encrypt"]'`)
      lines.length = 0
      const grants = open()
      assert.deepEqual(
        grants.applicable(key, user('A')).map(({ operations }) => operations),
        [['Decrypt']],
        alteration,
      )
      assert.match(lines.join(''), /a stored grant was altered/, alteration)
      assert.equal([...grants.ofKey(key.keyId, '')].length, 1, alteration)
      database.exec('ROLLBACK')
    }
    database.exec("UPDATE grants SET grantee_id = 'B'")
    assert.deepEqual(open().applicable(key, user('B')), [])
    assert.deepEqual(open({}, new RootKey(randomBytes(32))).applicable(key, user('B')), [])
  })

  test('a row of another region is none of this one', (t) => {
    const { database, open } = fixture(t)
    make(open(), 'A')
    database.exec('PRAGMA foreign_keys = OFF')
    database.exec("UPDATE grants SET region = 'eu-west-1'")
    assert.deepEqual(open().applicable(key, user('A')), [])
    assert.deepEqual(open({ region: 'eu-west-1' }).applicable(key, user('A')), [])
  })

  test('tokens can be made by the root key alone', (t) => {
    const { open } = fixture(t)
    const grants = open()
    const grantId = 'ab'.repeat(32)
    const token = grants.newToken(grantId)
    assert.equal(grants.grantIdOfToken(token), grantId)
    assert.equal(open().grantIdOfToken(token), grantId)
    assert.notEqual(grants.newToken(grantId), token)
    assert.equal(open({ region: 'eu-west-1' }).grantIdOfToken(token), undefined)
    assert.equal(open({}, new RootKey(randomBytes(32))).grantIdOfToken(token), undefined)
    const bytes = Buffer.from(token, 'base64')
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const altered = Buffer.from(bytes)
        altered.writeUInt8(altered.readUInt8(at) ^ change, at)
        assert.equal(grants.grantIdOfToken(altered.toString('base64')), undefined)
      }),
    )
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String()), (text) => {
        assert.equal(grants.grantIdOfToken(text), undefined)
      }),
    )
    for (const text of [`${token}\n`, `${token}=`, token.replace(/=*$/, ''), bytes.toString('base64url')]) {
      if (text !== token) assert.equal(grants.grantIdOfToken(text), undefined)
    }
  })

  test('a key without grants costs no query, a grantee one, and what changes shows at once', (t) => {
    const { database, open } = fixture(t)
    const grants = open({ mostInMemory: 6 })
    const prepare = t.mock.method(database, 'prepare')
    const queries = (work: () => unknown): number => {
      prepare.mock.resetCalls()
      work()
      return prepare.mock.callCount()
    }
    const ask = (id: string) => () => grants.applicable(key, user(id))
    assert.equal(queries(ask('A')), 0)
    const grant = make(grants, 'A')
    // The second is for what the account was granted.
    assert.equal(queries(ask('A')), 2)
    assert.equal(queries(ask('A')), 0)
    assert.deepEqual(
      ask('A')().map(({ grantId }) => grantId),
      [grant.grantId],
    )
    assert.equal(queries(ask('B')), 1)
    assert.equal(queries(ask('A')), 0)
    const another = make(grants, 'B')
    assert.deepEqual(
      ask('B')().map(({ grantId }) => grantId),
      [another.grantId],
    )
    // Neither it nor others are read anew for that.
    assert.equal(queries(ask('B')) + queries(ask('A')), 0)
    grants.delete(another)
    assert.deepEqual(ask('B')(), [])
    assert.equal(queries(ask('B')), 0)
    // Memory is bounded: asking for more forgets.
    for (const id of ['C', 'D', 'E', 'F', 'G', 'H']) ask(id)()
    assert.notEqual(queries(ask('B')), 0)
    grants.delete(grant)
    assert.equal(queries(ask('A')), 0)
    assert.deepEqual(ask('A')(), [])
    assert.equal(grants.count(key.keyId), 0)
  })

  test('counts are right after a restart', (t) => {
    const { open } = fixture(t)
    for (let i = 0; i < 5; i++) make(open(), `U${i}`)
    const grants = open()
    assert.equal(grants.count(key.keyId), 5)
    assert.equal(grants.count('other'), 0)
    grants.forgetKey(key.keyId)
    assert.deepEqual(grants.applicable(key, user('U1')), [])
  })
})

function undefinedAsAbsent(value: object | undefined): object {
  return Object.fromEntries(Object.entries(value ?? {}).filter(([, one]) => one !== undefined))
}
