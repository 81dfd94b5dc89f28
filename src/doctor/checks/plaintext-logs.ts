import { basename, dirname } from 'node:path'
import type { Check } from '../check.ts'
import type { Finding } from '../finding.ts'
import type { SurveyedLog } from '../look/data/data-survey.ts'
import { given } from '../looked.ts'
import { counted, nameList } from '../name-list.ts'

export const plaintextRedoLog: Check = {
  about: 'the redo log',
  run: ({ data }) =>
    given(data, ({ redoLog }) =>
      given(redoLog, ({ state, file }) => {
        if (state !== 'plain') return []
        return [
          {
            code: 'SRD_REDO_LOG_PLAINTEXT',
            where: file,
            what: 'is not encrypted: each change of a row is in it in the clear',
            remedy:
              'set innodb-encrypt-log = ON in [mariadbd], and restart MariaDB, which makes a new log then',
          },
        ]
      }),
    ),
}

/** Binary and relay logs: what was written before encrypt_binlog stays as it is. */
export const plaintextBinaryLogs: Check = {
  about: 'binary and relay logs',
  run: ({ data }) =>
    given(data, ({ logs }) => {
      const plain = logs.filter(({ start }) => !start.encrypted && start.holdsEvents)
      return [...Map.groupBy(plain, baseOf)].map(([, ofOneBase]) => binaryLogs(ofOneBase))
    }),
}

/** The general and the slow query log, which MariaDB never encrypts. */
export const statementLogs: Check = {
  about: 'the logs of statements',
  run: ({ server }) =>
    given(server, ({ variables }) =>
      statementLogVariables
        .filter(
          ({ isOn }) => variables.get(isOn) === 'ON' && /FILE/i.test(variables.get('log_output') ?? 'FILE'),
        )
        .map(({ isOn, file }) => ({
          code: 'SRD_STATEMENT_LOG',
          where: `${isOn} (${variables.get(file) ?? ''})`,
          what: 'is on: statements are written with their values, and MariaDB does not encrypt this log',
          remedy: `SET GLOBAL ${isOn} = OFF when it has served its purpose, and remove the file; or keep it on a disk that is encrypted otherwise`,
        })),
    ),
}

const statementLogVariables = [
  { isOn: 'general_log', file: 'general_log_file' },
  { isOn: 'slow_query_log', file: 'slow_query_log_file' },
] as const

function baseOf({ path }: SurveyedLog): string {
  return path.replace(/\.\d+$/, '')
}

function binaryLogs(logs: readonly SurveyedLog[]): Finding {
  const isRelay = logs.some(({ path }) => basename(path).includes('relay'))
  const [first] = logs
  return {
    code: 'SRD_BINARY_LOG_PLAINTEXT',
    where: first === undefined ? '' : dirname(first.path),
    what: `${counted(logs.length, isRelay ? 'relay log' : 'binary log')} in the clear: ${nameList(logs.map(({ path }) => basename(path)))}`,
    remedy: isRelay
      ? 'set encrypt-binlog = ON in [mariadbd] and restart MariaDB; STOP SLAVE, RESET SLAVE and START SLAVE fetch them anew, encrypted (with GTIDs)'
      : 'set encrypt-binlog = ON in [mariadbd] and restart MariaDB; when every replica and the backups have them, PURGE BINARY LOGS TO the first that is encrypted',
  }
}
