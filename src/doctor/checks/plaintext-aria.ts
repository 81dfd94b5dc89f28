import type { Check } from '../check.ts'
import type { Finding } from '../finding.ts'
import type { AriaSurvey } from '../look/data/aria-survey.ts'
import { given } from '../looked.ts'
import { counted, nameList } from '../name-list.ts'

/** MariaDB's own, whose rows it does not let anybody keep elsewhere. */
const ownSchemas = ['mysql', 'sys', 'performance_schema']

export const plaintextAria: Check = {
  about: 'Aria tables',
  run: ({ data }) =>
    given(data, ({ dataDirectory, ariaTables }) => {
      const plain = ariaTables.filter(({ encrypted }) => !encrypted)
      return [...Map.groupBy(plain, schemaAndKind)].map(([, tables]) => inTheClear(tables, dataDirectory))
    }),
}

/** Its changes go through a log that MariaDB never encrypts, even those of encrypted tables. */
export const ariaLog: Check = {
  about: "Aria's log",
  run: ({ data }) =>
    given(data, ({ ariaTables, ariaLogs }) => {
      const logged = ariaTables.filter(
        ({ schema, transactional }) => transactional && !ownSchemas.includes(schema),
      )
      if (logged.length === 0 || ariaLogs.length === 0) return []
      return [
        {
          code: 'SRD_ARIA_LOG_PLAINTEXT',
          where: nameList(ariaLogs),
          what: `MariaDB does not encrypt it, and it takes the changes of ${counted(logged.length, 'Aria table')}: ${nameList(logged.map(({ schema, name }) => `${schema}/${name}`))}`,
          remedy:
            'ALTER TABLE each with ENGINE=InnoDB; or with TRANSACTIONAL=0, which keeps them out of the log and makes them less safe in a crash',
        },
      ]
    }),
}

function schemaAndKind({ schema, rowsInPages }: AriaSurvey): string {
  return `${schema} ${rowsInPages}`
}

function inTheClear(tables: readonly AriaSurvey[], dataDirectory: string): Finding {
  const [first] = tables
  const canBeEncrypted = first?.rowsInPages === true
  return {
    code: 'SRD_ARIA_PLAINTEXT',
    where: `${dataDirectory}/${first?.schema ?? ''}`,
    what:
      `${counted(tables.length, 'Aria table')} in the clear` +
      (canBeEncrypted ? '' : ', with a row format that can not be encrypted') +
      `: ${nameList(tables.map(({ name }) => name))}`,
    remedy: canBeEncrypted
      ? 'with aria-encrypt-tables = ON in [mariadbd], ALTER TABLE each with FORCE writes it anew, encrypted'
      : 'ALTER TABLE each with ROW_FORMAT=PAGE, with aria-encrypt-tables = ON in [mariadbd]; or with ENGINE=InnoDB',
  }
}
