import type { Check } from '../check.ts'
import { given } from '../looked.ts'
import { counted, nameList } from '../name-list.ts'

/** Tables with rows, of engines that MariaDB can't encrypt. */
export const otherEngines: Check = {
  about: 'tables of other engines',
  run: ({ data }) =>
    given(data, ({ dataDirectory, otherTables }) => {
      const groups = Map.groupBy(otherTables, ({ schema, engine }) => `${schema} ${engine}`)
      return [...groups.values()].map((tables) => ({
        code: 'SRD_ENGINE_WITHOUT_ENCRYPTION',
        where: `${dataDirectory}/${tables[0]?.schema ?? ''}`,
        what: `${counted(tables.length, `${tables[0]?.engine ?? ''} table`)}, which MariaDB can not encrypt: ${nameList(tables.map(({ name }) => name))}`,
        remedy:
          tables[0]?.schema === 'mysql'
            ? 'TRUNCATE the log tables, and SET GLOBAL log_output = NONE or FILE'
            : 'ALTER TABLE each with ENGINE=InnoDB; old copies of the rows stay on the disk until it is overwritten',
      }))
    }),
}
