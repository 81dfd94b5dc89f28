import type { Check } from '../check.ts'
import type { Examined } from '../examined.ts'
import type { Finding } from '../finding.ts'
import type { SurveyedTablespace } from '../look/data/surveyed-tablespace.ts'
import { given, isSeen } from '../looked.ts'
import { counted, nameList } from '../name-list.ts'

/** Whole tablespaces in the clear. INNODB_TABLESPACES_ENCRYPTION has no row for those that no encryption thread has seen. */
export const plaintextTables: Check = {
  about: 'tables in the clear',
  run: (examined) =>
    given(examined.data, ({ tablespaces }) => {
      const inTheClear = tablespaces.filter(isInTheClear)
      return [
        ...system(
          inTheClear.filter(({ kind }) => kind !== 'table'),
          examined,
        ),
        ...[
          ...Map.groupBy(
            inTheClear.filter(({ kind }) => kind === 'table'),
            schemaAndWish,
          ),
        ].map(([, tables]) => wholeTables(tables, examined)),
      ]
    }),
}

/** Tablespaces of which some pages are encrypted and others are not, and pages that no encryption thread comes to. */
export const partlyPlaintextTables: Check = {
  about: 'pages in the clear',
  run: (examined) =>
    given(examined.data, ({ tablespaces }) => [
      ...tablespaces
        .filter((space) => space.plain > 0 && !isInTheClear(space))
        .map((space) => partly(space, examined)),
      ...tablespaces.filter((space) => space.freedPlain > 0 && !isInTheClear(space)).map(freed),
      ...tablespaces.filter((space) => space.copiedPlain > 0 && !isInTheClear(space)).map(copied),
    ]),
}

function isInTheClear({ plain, encrypted }: SurveyedTablespace): boolean {
  return plain > 0 && encrypted.size === 0
}

function system(spaces: readonly SurveyedTablespace[], examined: Examined): Finding[] {
  if (spaces.length === 0) return []
  return [
    {
      code: 'SRD_SYSTEM_TABLESPACE_PLAINTEXT',
      where: nameList(spaces.map(({ path }) => path)),
      what: `${spaces.length === 1 ? 'is' : 'are'} in the clear: undo logs and buffered changes hold rows of every table`,
      remedy: encryptWith(examined),
    },
  ]
}

function schemaAndWish({ schema, cryptData }: SurveyedTablespace): string {
  return `${schema} ${cryptData?.wish ?? ''}`
}

function wholeTables(tables: readonly SurveyedTablespace[], examined: Examined): Finding {
  const [first] = tables
  const isWished = first?.cryptData?.wish === 'no'
  return {
    code: 'SRD_TABLE_PLAINTEXT',
    where: whereOf(tables, examined),
    what: `${counted(tables.length, 'InnoDB table')} in the clear${isWished ? ', made with ENCRYPTED=NO' : ''}: ${nameList(tables.map(({ name }) => name))}`,
    remedy: isWished
      ? 'ALTER TABLE each with ENCRYPTED=DEFAULT; with innodb-encrypt-tables = FORCE in [mariadbd] none can be made so again'
      : encryptWith(examined),
  }
}

function whereOf([first]: readonly SurveyedTablespace[], { dataDirectory }: Examined): string {
  return `${isSeen(dataDirectory) ? `${dataDirectory.seen}/` : ''}${first?.schema ?? ''}`
}

function partly(space: SurveyedTablespace, examined: Examined): Finding {
  const encrypted = [...space.encrypted.values()].reduce((sum, pages) => sum + pages, 0)
  const isOnlySpatial = space.plain === space.plainSpatial
  return {
    code: 'SRD_TABLE_PARTLY_PLAINTEXT',
    where: space.path,
    what:
      `has ${counted(space.plain, 'page')} in the clear among ${encrypted.toLocaleString('en')} encrypted ones` +
      (isOnlySpatial ? ', of spatial indexes, which the old format of tablespaces leaves so' : ''),
    remedy: isOnlySpatial
      ? 'ALTER TABLE … FORCE, with innodb_checksum_algorithm = full_crc32, writes it anew in the format that encrypts them'
      : `see in INNODB_TABLESPACES_ENCRYPTION whether the threads are at it; if not, ALTER TABLE … FORCE writes it anew; ${encryptWith(examined)}`,
  }
}

function freed(space: SurveyedTablespace): Finding {
  return {
    code: 'SRD_FREED_PAGES_PLAINTEXT',
    where: space.path,
    what: `has ${counted(space.freedPlain, 'page')} that ${space.freedPlain === 1 ? 'was' : 'were'} freed in the clear: the former rows are still on the disk, and no encryption thread comes by`,
    remedy:
      space.kind === 'table'
        ? 'ALTER TABLE … FORCE writes the table anew, without them'
        : space.kind === 'undo'
          ? 'SET GLOBAL innodb_fast_shutdown = 0, stop MariaDB, and start it with another number of innodb-undo-tablespaces: it makes them anew (10.11 and later)'
          : 'only a new data directory gets rid of them: dump and load, or a new replica that takes over',
  }
}

function copied(space: SurveyedTablespace): Finding {
  return {
    code: 'SRD_FREED_PAGES_PLAINTEXT',
    where: space.path,
    what: `has ${counted(space.copiedPlain, 'page')} in the clear in its doublewrite buffer, copies of pages of any table`,
    remedy: 'let the server write: the next hundred pages or so overwrite them; then look again',
  }
}

/** What encrypts in the background, by what the server is set to. */
function encryptWith({ server }: Examined): string {
  const threads = isSeen(server) ? server.seen.variables.get('innodb_encryption_threads') : undefined
  if (threads === '0')
    return 'innodb_encryption_threads is 0, so nothing encrypts what is there: SET GLOBAL innodb_encryption_threads = 4, and in [mariadbd]'
  return 'with innodb_encrypt_tables on, the encryption threads do it in the background (innodb-encryption-threads = 4 in [mariadbd]); look again when they are through'
}
