import { createConnection, type Connection } from 'mariadb'
import { z } from 'zod'

export type { Connection }

export type Row = Record<string, unknown>

const rowsSchema = z.array(z.record(z.string(), z.unknown()))

/**
 * A connection as root over the unix socket of a private server. All integers are numbers; one that is too large for a
 * number is an error.
 */
export function connectTo(socket: string): Promise<Connection> {
  return createConnection({
    socketPath: socket,
    user: 'root',
    connectTimeout: 10_000,
    bigIntAsNumber: true,
    checkNumberRange: true,
  })
}

/** Runs one statement on a connection of its own. A statement that returns no rows gives none. */
export async function queryOnce(socket: string, sql: string, values?: readonly unknown[]): Promise<Row[]> {
  const connection = await connectTo(socket)
  try {
    const result: unknown = await connection.query(sql, values)
    return Array.isArray(result) ? rowsSchema.parse(result) : []
  } finally {
    await connection.end()
  }
}
