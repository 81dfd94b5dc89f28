import { createConnection, type Connection } from 'mariadb'
import { z } from 'zod'

export type { Connection }

export type Row = Record<string, unknown>

const rowsSchema = z.array(z.record(z.string(), z.unknown()))

/**
 * A connection over a server's unix socket, as root if no other user is named. All integers are numbers; one that is too large
 * for a number is an error.
 */
export function connectTo(socket: string, user = 'root'): Promise<Connection> {
  return createConnection({
    socketPath: socket,
    user,
    connectTimeout: 10_000,
    bigIntAsNumber: true,
    checkNumberRange: true,
  })
}

/** Runs one statement on a connection of its own. A statement that returns no rows gives none. */
export async function queryOnce(socket: string, sql: string, values?: readonly unknown[]): Promise<Row[]> {
  const connection = await connectTo(socket)
  try {
    return await rowsOf(connection, sql, values)
  } finally {
    await connection.end()
  }
}

/** The rows of one statement. */
export async function rowsOf(
  connection: Connection,
  sql: string,
  values?: readonly unknown[],
): Promise<Row[]> {
  const result: unknown = await connection.query(sql, values)
  return Array.isArray(result) ? rowsSchema.parse(result) : []
}

/** What a column holds, as text; empty for NULL. */
export function textIn(row: Row, column: string): string {
  const value = row[column]
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : ''
}
