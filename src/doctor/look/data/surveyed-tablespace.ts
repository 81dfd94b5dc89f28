import type { CryptData } from '../../../innodb/crypt-data.ts'
import type { PageFormat } from '../../../innodb/page-format.ts'
import { openForReading, readBytes } from '../../../innodb/read-only-file.ts'
import { Tablespace } from '../../../innodb/tablespace.ts'
import { surveyTablespace, type TablespaceSurvey } from '../../../innodb/tablespace-survey.ts'
import { tableDefinitionLength, tableOptions } from '../../../mariadb/table-definition.ts'
import type { TablespaceFiles } from './data-files.ts'

export interface SurveyedTablespace extends TablespaceSurvey {
  readonly kind: TablespaceFiles['kind']
  readonly schema: string
  readonly name: string
  readonly path: string
  readonly format: PageFormat
  readonly cryptData: CryptData | undefined
  /** ENCRYPTION_KEY_ID of the table's definition. */
  readonly keyIdWished: number | undefined
}

/** undefined: the server has not written to it yet. Throws why it can't be read. */
export async function surveyTablespaceFiles(
  { kind, schema, name, paths, definition }: TablespaceFiles,
  bytes: number,
): Promise<SurveyedTablespace | undefined> {
  if (paths.some((path) => path.endsWith('.isl'))) throw new Error('it does not name a tablespace')
  const tablespace = await Tablespace.open(paths)
  if (tablespace === undefined) return undefined
  try {
    const { format, cryptData } = tablespace
    const survey = await surveyTablespace(tablespace, Math.ceil(bytes / format.physicalSize))
    const keyIdWished = definition === undefined ? undefined : await keyIdIn(definition)
    return { kind, schema, name, path: paths[0] ?? '', format, cryptData, keyIdWished, ...survey }
  } finally {
    await tablespace.close()
  }
}

/** InnoDB's own tables, of full-text indexes for one, have no definition. */
async function keyIdIn(definition: string): Promise<number | undefined> {
  const file = await openForReading(definition).catch(() => undefined)
  if (file === undefined) return undefined
  try {
    const keyId = tableOptions(await readBytes(file, 0, tableDefinitionLength))?.get('ENCRYPTION_KEY_ID')
    return keyId !== undefined && /^\d{1,10}$/.test(keyId) ? Number(keyId) : undefined
  } finally {
    await file.close()
  }
}
