import { createConnection } from 'mariadb'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf } from '../../errors.ts'
import { rowsOf, textIn } from '../../mariadb/connection.ts'
import { type Looked, seen, unseen } from '../looked.ts'
import { readSmallFile } from './small-file.ts'

/** A server that this one replicates from. */
export interface Primary {
  readonly host: string
  readonly port: number
  /** Whether it encrypts its tables; asked for only where that is wished. */
  readonly encryptsTables: Looked<boolean>
}

/** How the server reaches a primary, by SHOW ALL SLAVES STATUS. */
export interface Source {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly usesTls: boolean
  /** Of several primaries; empty for the only one. */
  readonly name: string
}

/** Milliseconds. */
const patience = 5000

/** Whoever answers must not get the password itself, as by mysql_clear_password. The connector's types lack this option. */
const restrictedAuth = ['mysql_native_password', 'client_ed25519', 'parsec']

/** Asks a primary as the server itself would: with the replication user, whose password is in the server's own file. */
export async function askPrimary(source: Source, dataDirectory: string): Promise<Looked<boolean>> {
  const { host, port, user, usesTls } = source
  try {
    const password = passwordIn(dataDirectory, infoFile(source))
    const connection = await createConnection({
      ...{ host, port, user, password, connectTimeout: patience, queryTimeout: patience, restrictedAuth },
      // The server holds its certificate against what it was told; that is no part of what is asked here.
      ...(usesTls && { ssl: { rejectUnauthorized: false } }),
    })
    try {
      const [row] = await rowsOf(connection, "SHOW GLOBAL VARIABLES LIKE 'innodb_encrypt_tables'")
      return seen(['ON', 'FORCE', '1'].includes(textIn(row ?? {}, 'Value').toUpperCase()))
    } finally {
      await connection.end()
    }
  } catch (error) {
    return unseen(`the primary ${host}:${port} can not be asked as ${user} (${withoutPassword(error)})`)
  }
}

function infoFile({ name }: Source): string {
  if (name.includes('/')) throw new Error('its connection has no name of which a file could be made')
  return name === '' ? 'master.info' : `master-${name.toLowerCase()}.info`
}

/**
 * A line each: how many lines, log, position, host, user, password. It is sent to whom the server names, so it must be the server's own
 * file: whoever took over the server would else have us read another's secret there.
 */
function passwordIn(dataDirectory: string, name: string): string {
  const { uid } = statSync(dataDirectory)
  const text = readSmallFile(join(dataDirectory, name), longestInfo, (file) => {
    if (file.uid !== uid) throw new Error(`${name} does not belong to the owner of ${dataDirectory}`)
  }).toString('utf8')
  return text.split('\n')[5] ?? ''
}

const longestInfo = 65_536

/** MariaDB's refusals say whether there was one, and no more. */
function withoutPassword(error: unknown): string {
  return messageOf(error).split('\n')[0] ?? ''
}
