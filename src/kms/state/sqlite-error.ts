/** The primary result codes of SQLite that mean something of their own here. https://sqlite.org/rescode.html */
const codes = { busy: 5, corrupt: 11, notADatabase: 26 } as const

/** Whether an error of node:sqlite has this result code; an extended code counts as the primary one in it. */
export function isSqliteError(error: unknown, name: keyof typeof codes): boolean {
  return resultCode(error) === codes[name]
}

/** Whether the error comes from SQLite at all. */
export function isFromSqlite(error: unknown): boolean {
  return resultCode(error) !== undefined
}

function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number')
    return undefined
  return error.errcode & 0xff
}
