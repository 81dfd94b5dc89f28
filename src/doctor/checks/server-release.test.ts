import assert from 'node:assert/strict'
import { test } from 'node:test'
import { examinedWith, serverWith } from '../../../test/support/doctor.ts'
import { isFinding } from '../finding.ts'
import { hasFault, knownFaults } from '../known-faults.ts'
import { unseen } from '../looked.ts'
import { serverRelease } from './server-release.ts'

const stock = {
  keyPlugins: [
    { name: 'hashicorp_key_management', isActive: true, author: 'MariaDB Corporation', loadOption: 'FORCE' },
  ],
}

/** The issues that are told of a server of that release with everything on. */
function issues(version: string, facts: Parameters<typeof serverWith>[1] = stock): string[] {
  const server = serverWith(
    {
      version,
      log_bin: 'ON',
      encrypt_binlog: 'ON',
      innodb_encrypt_tables: 'FORCE',
      innodb_encrypt_temporary_tables: 'ON',
      innodb_encryption_threads: '4',
    },
    facts,
  )
  return serverRelease.run(examinedWith({ server })).map((result) => {
    assert.ok(isFinding(result))
    assert.equal(result.code, 'SRD_SERVER_FAULT')
    return /MDEV-\d+/.exec(result.what)?.[0] ?? ''
  })
}

test('the releases at which each fault ends', () => {
  for (const fault of knownFaults) {
    for (const fixed of fault.fixedIn) {
      const [major = 0, minor = 0, patch = 0] = fixed.split('.').map(Number)
      assert.equal(hasFault(`${fixed}-MariaDB`, fault), false, `${fault.issue} ${fixed}`)
      assert.equal(hasFault(`${major}.${minor}.${patch + 1}-MariaDB-log`, fault), false)
      assert.equal(
        hasFault(`${major}.${minor}.${patch - 1}-MariaDB`, fault),
        true,
        `${fault.issue} before ${fixed}`,
      )
    }
  }
})

test('a series that ended before keeps a fault, a later one never had it, and an earlier one only after it began', () => {
  const cache = knownFaults.find(({ issue }) => issue === 'MDEV-38203')
  assert.ok(cache !== undefined)
  assert.equal(hasFault('10.10.7-MariaDB', cache), true)
  assert.equal(hasFault('12.3.1-MariaDB', cache), false)
  assert.equal(hasFault('10.6.1-MariaDB', cache), false)
  assert.equal(hasFault('unknown', cache), undefined)
})

test('Debian 12’s release has none, those of older Debian releases have some', () => {
  assert.deepEqual(issues('10.11.19-MariaDB-0+deb12u1-log'), [])
  assert.deepEqual(issues('10.11.6-MariaDB-0+deb12u1'), [
    'MDEV-38203',
    'MDEV-33334',
    'MDEV-33770',
    'MDEV-38271',
  ])
  assert.deepEqual(issues('10.5.12-MariaDB-0+deb11u1', {}), [
    'MDEV-28798',
    'MDEV-33334',
    'MDEV-33770',
    'MDEV-38271',
  ])
})

test('faults of replicas are told of replicas', () => {
  const primaries = [{ host: '192.0.2.7', port: 3306, encryptsTables: unseen('not asked') }]
  assert.ok(issues('10.11.4-MariaDB', { primaries }).includes('MDEV-31347'))
  assert.ok(!issues('10.11.4-MariaDB', {}).includes('MDEV-31347'))
})

test('a release that is not told is not checked', () => {
  const host = examinedWith({ server: serverWith({ version: 'none' }) })
  assert.deepEqual(serverRelease.run(host), [{ notChecked: 'the server does not tell its release (none)' }])
})
