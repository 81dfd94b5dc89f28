import type { ServerFacts } from './look/server.ts'

/** A fault of MariaDB about encryption, and the first release of each series without it. */
export interface KnownFault {
  readonly issue: string
  readonly what: string
  /** Of each series for which MariaDB's release notes list it. A series that ended before keeps the fault. */
  readonly fixedIn: readonly string[]
  /** The first series that has it; undefined: all before. */
  readonly since?: string
  /** Whether it concerns a server as it is set. */
  readonly concerns: (server: ServerFacts) => boolean
}

/**
 * By MariaDB's release notes and changelogs (mariadb.com/docs/release-notes), where each issue was found under one release at least: the
 * others are those that came out on the same day from the same merge, and were not each looked up. MDEV-38203 and MDEV-28233 are at
 * second hand. That is good enough to say "look at it", and docs/doctor.md says no more. What only costs time is left out.
 */
export const knownFaults: readonly KnownFault[] = [
  {
    issue: 'MDEV-38203',
    what: 'the hashicorp_key_management plugin forgets its keys after a minute and does not use them when it can not ask: a pause of the agent can make CREATE TABLE fail and end the binary log',
    since: '10.9',
    fixedIn: ['10.11.16', '11.4.10', '11.8.6'],
    concerns: ({ keyPlugins }) =>
      keyPlugins.some(({ name, isActive }) => isActive && name === 'hashicorp_key_management'),
  },
  {
    issue: 'MDEV-31347',
    what: 'a replica that is encrypted while its primary is not can corrupt pages',
    since: '10.5',
    fixedIn: ['10.5.22', '10.6.15', '10.9.8', '10.10.6', '10.11.5', '11.0.3', '11.1.2'],
    concerns: ({ primaries }) => primaries.length > 0,
  },
  {
    issue: 'MDEV-28798',
    what: 'a replica that asks for a binary log which the server can no longer decrypt crashes it',
    since: '10.4',
    fixedIn: ['10.4.29', '10.5.20', '10.6.13', '10.8.8', '10.9.6', '10.10.4', '10.11.3', '11.0.2'],
    concerns: ({ variables }) =>
      variables.get('log_bin') === 'ON' && variables.get('encrypt_binlog') === 'ON',
  },
  {
    issue: 'MDEV-33334',
    what: 'mariadb-backup --prepare writes pages of encrypted tables in the clear, and IMPORT TABLESPACE fails with such a copy',
    fixedIn: ['10.5.25', '10.6.18', '10.11.8', '11.0.6', '11.1.5', '11.2.4', '11.4.2'],
    concerns: encryptsTables,
  },
  {
    issue: 'MDEV-33770',
    what: 'ALTER TABLE can hang while an encryption thread works on the same table',
    fixedIn: ['10.4.34', '10.5.25', '10.6.18', '10.11.8', '11.0.6', '11.1.5', '11.2.4', '11.4.2'],
    concerns: encryptsTables,
  },
  {
    issue: 'MDEV-38271',
    what: 'the server can hang with several encryption threads',
    fixedIn: ['10.6.25', '10.11.16', '11.4.10', '11.8.6'],
    concerns: ({ variables }) => Number(variables.get('innodb_encryption_threads') ?? 0) > 1,
  },
  {
    issue: 'MDEV-28233',
    what: 'a state transfer that is set to be encrypted is sent in the clear where that can not be done',
    fixedIn: ['10.6.28', '10.11.19'],
    concerns: ({ variables }) => variables.get('wsrep_on') === 'ON',
  },
  {
    issue: 'MDEV-17228',
    what: 'temporary tables are not encrypted although they are set to be',
    fixedIn: ['10.2.26', '10.3.17', '10.4.7'],
    concerns: ({ variables }) => variables.get('innodb_encrypt_temporary_tables') === 'ON',
  },
]

function encryptsTables({ variables }: ServerFacts): boolean {
  return ['ON', 'FORCE'].includes(variables.get('innodb_encrypt_tables') ?? '')
}

/** Whether a release, such as 10.11.19-MariaDB-0+deb12u1, has a fault; undefined: its number can't be read. */
export function hasFault(release: string, { fixedIn, since }: KnownFault): boolean | undefined {
  const version = /^(\d+)\.(\d+)\.(\d+)/.exec(release)?.slice(1).map(Number)
  if (version === undefined) return undefined
  if (since !== undefined && compare(version, numbersOf(since)) < 0) return false
  const sameSeries = fixedIn
    .map(numbersOf)
    .find((fixed) => compare(version.slice(0, 2), fixed.slice(0, 2)) === 0)
  if (sameSeries !== undefined) return compare(version, sameSeries) < 0
  return fixedIn.some((fixed) => compare(version, numbersOf(fixed)) < 0)
}

function numbersOf(version: string): number[] {
  return version.split('.').map(Number)
}

function compare(a: readonly number[], b: readonly number[]): number {
  const differing = a.findIndex((number, at) => number !== (b[at] ?? 0))
  return differing < 0 ? 0 : (a[differing] ?? 0) - (b[differing] ?? 0)
}
