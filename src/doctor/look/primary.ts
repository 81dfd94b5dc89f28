import { createConnection } from 'mariadb'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { messageOf } from '../../errors.ts'
import { rowsOf, textIn } from '../../mariadb/connection.ts'
import { type Looked, seen, unseen } from '../looked.ts'

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

/** Asks a primary as the server itself would: with the replication user, whose password is in the server's own file. */
export async function askPrimary(source: Source, dataDirectory: string): Promise<Looked<boolean>> {
  const { host, port, user, usesTls } = source
  try {
    const password = passwordIn(resolve(dataDirectory, infoFile(source)))
    const connection = await createConnection({
      ...{ host, port, user, password, connectTimeout: patience, queryTimeout: patience },
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
  return name === '' ? 'master.info' : `master-${name.toLowerCase()}.info`
}

/** A line each: how many lines, log, position, host, user, password. */
function passwordIn(file: string): string {
  return readFileSync(file, 'utf8').split('\n')[5] ?? ''
}

/** MariaDB's refusals say whether there was one, and no more. */
function withoutPassword(error: unknown): string {
  return messageOf(error).split('\n')[0] ?? ''
}
