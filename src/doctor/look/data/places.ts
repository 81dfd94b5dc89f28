import { dirname, resolve } from 'node:path'

/** Where a server keeps what it writes. */
export interface DataPlaces {
  readonly dataDirectory: string
  /** The files of InnoDB's system tablespace, in order; undefined: ibdata1 and so on, by their names. */
  readonly systemFiles: readonly string[] | undefined
  readonly systemDirectory: string
  readonly undoDirectory: string
  readonly redoDirectory: string
  /** Of binary and relay logs. */
  readonly logDirectories: readonly string[]
}

/** `valueOf` gives what a running server, or else its option files, say of a variable; undefined: its default holds. */
export function dataPlaces(
  dataDirectory: string,
  valueOf: (variable: string) => string | undefined,
): DataPlaces {
  const inDataDirectory = (path: string | undefined) => resolve(dataDirectory, path ?? '')
  const systemDirectory = inDataDirectory(valueOf('innodb_data_home_dir'))
  return {
    dataDirectory,
    systemDirectory,
    systemFiles: systemFilesIn(valueOf('innodb_data_file_path'))?.map((file) =>
      resolve(systemDirectory, file),
    ),
    undoDirectory: inDataDirectory(valueOf('innodb_undo_directory')),
    redoDirectory: inDataDirectory(valueOf('innodb_log_group_home_dir')),
    logDirectories: [
      ...new Set([
        resolve(dataDirectory),
        ...logVariables
          .map(valueOf)
          .flatMap((base) => (base === undefined || base === '' ? [] : [dirname(inDataDirectory(base))])),
      ]),
    ],
  }
}

/** A server has the first two; option files the other two, which may be `ON`. */
const logVariables = ['log_bin_basename', 'relay_log_basename', 'log_bin', 'relay_log']

/** `ibdata1:12M;ibdata2:50M:autoextend` */
function systemFilesIn(path: string | undefined): string[] | undefined {
  const files = path?.split(';').flatMap((file) => file.split(':')[0]?.trim() ?? [])
  return files?.every((file) => file !== '') === true ? files : undefined
}
