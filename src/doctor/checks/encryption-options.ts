import { encryptEverything } from '../../mariadb/encryption-options.ts'
import type { Check } from '../check.ts'
import { type Finding, type Outcome } from '../finding.ts'
import { lastOf, type OptionFacts } from '../look/option-files.ts'
import type { ServerFacts } from '../look/server.ts'
import { given, isSeen } from '../looked.ts'

/** What each encrypts. */
const switches: Readonly<Record<string, string>> = {
  innodb_encrypt_tables: 'new InnoDB tables, the system tablespace and undo logs',
  innodb_encrypt_log: 'the redo log, which has every change',
  innodb_encrypt_temporary_tables: 'temporary tables',
  encrypt_tmp_files: 'temporary files, such as those of large sorts',
  encrypt_tmp_disk_tables: 'temporary tables of queries',
  encrypt_binlog: 'binary and relay logs, which have every change',
  aria_encrypt_tables: 'Aria tables, the system tables among them',
}

type Ask = (option: string) => string | undefined

/** The options under which MariaDB encrypts what it can: of the running server, else of the next start. */
export const encryptionOptions: Check = {
  about: 'the encryption options',
  run: (examined) =>
    isSeen(examined.server)
      ? judge(askServer(examined.server.seen), examined.server.seen.socket)
      : given(examined.options, (options) => judge(askOptions(options), "MariaDB's option files")),
}

function judge(value: Ask, where: string): Outcome {
  const off = Object.entries(switches).flatMap(([option, what]): Finding[] =>
    isOff(value(option))
      ? [
          {
            code: 'SRD_ENCRYPTION_OFF',
            where: `${option} (${where})`,
            what: `is off, so there is no encryption of ${what}`,
            remedy: `set ${option.replaceAll('_', '-')} = ${valueFor(option)} in [mariadbd], and restart MariaDB`,
          },
        ]
      : [],
  )
  return [...off, ...unforced(value, where), ...threads(value, where), ...rotation(value, where)]
}

function unforced(value: Ask, where: string): Finding[] {
  if (value('innodb_encrypt_tables')?.toUpperCase() !== 'ON' && value('innodb_encrypt_tables') !== '1')
    return []
  return [
    {
      code: 'SRD_ENCRYPTION_OPTIONAL',
      where: `innodb_encrypt_tables (${where})`,
      what: 'is ON, so a table can still be made in the clear (ENCRYPTED=NO)',
      remedy: 'set innodb-encrypt-tables = FORCE in [mariadbd], and restart MariaDB',
    },
  ]
}

function threads(value: Ask, where: string): Finding[] {
  if ((value('innodb_encryption_threads') ?? '0') !== '0') return []
  return [
    {
      code: 'SRD_ENCRYPTION_THREADS',
      where: `innodb_encryption_threads (${where})`,
      what: 'is 0: tables that existed before stay in the clear, and no rotation of a key reaches the data',
      remedy: 'set innodb-encryption-threads = 4 in [mariadbd]; SET GLOBAL does it at once',
    },
  ]
}

function rotation(value: Ask, where: string): Finding[] {
  if ((value('innodb_encryption_rotate_key_age') ?? '1') !== '0') return []
  return [
    {
      code: 'SRD_ROTATE_KEY_AGE',
      where: `innodb_encryption_rotate_key_age (${where})`,
      what: 'is 0: a key may be rotated, and the data stays under the old version',
      remedy: 'set innodb-encryption-rotate-key-age = 1 in [mariadbd]; SET GLOBAL does it at once',
    },
  ]
}

function isOff(value: string | undefined): boolean {
  return value === undefined || ['OFF', '0', 'FALSE'].includes(value.toUpperCase())
}

function valueFor(option: string): string {
  const value = encryptEverything[option.replaceAll('_', '-')]
  return typeof value === 'string' ? value : 'ON'
}

function askServer({ variables }: ServerFacts): Ask {
  return (option) => variables.get(option)
}

function askOptions(options: OptionFacts): Ask {
  return (option) => lastOf(options, option)
}
