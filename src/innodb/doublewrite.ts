import { extentSize, type PageFormat } from './page-format.ts'
import type { PageRun } from './paged-files.ts'

/**
 * Where in the system tablespace the copies of pages lie that the server makes before it writes them, from any tablespace: two runs,
 * named on its page 5 (trx0sys.h). A copy is overwritten when its place is needed again.
 */
export function doublewriteRuns(transactionSystemPage: Buffer, format: PageFormat): PageRun[] {
  const field = transactionSystemPage.length - 200
  if (transactionSystemPage.readUInt32BE(field + 10) !== magic) return []
  const count = extentSize(format)
  return [field + 14, field + 18].map((at) => ({ first: transactionSystemPage.readUInt32BE(at), count }))
}

const magic = 536853855
