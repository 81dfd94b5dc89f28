import { availableParallelism, loadavg } from 'node:os'

/** One line of the table. */
export interface Finding {
  readonly what: string
  readonly ours: string
  /** What it is held against, measured in the same run. */
  readonly against?: string
  readonly ratio?: string
  readonly aim?: string
  /** undefined: nothing is aimed at, the line is there to understand the others. */
  readonly met?: boolean
}

const headings = ['what', 'ours', 'against', 'ratio', 'aim', 'met']

export function printTable(title: string, findings: readonly Finding[]): void {
  const rows = [headings, ...findings.map(cells)]
  const widths = headings.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
  lines.splice(1, 0, widths.map((width) => '-'.repeat(width)).join('  '))
  // On a machine that others use, too, times say little; ratios and processor time say more.
  const machine = `${availableParallelism()} processors, load ${loadavg()[0]?.toFixed(1) ?? ''} in the last minute`
  console.log(`\n${title} (${machine}, Node.js ${process.versions.node})\n`)
  for (const line of lines) console.log(line.trimEnd())
}

/** Three significant digits, but no fraction of what is large. */
export function rounded(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3)
}

function cells({ what, ours, against = '', ratio = '', aim = '', met }: Finding): string[] {
  return [what, ours, against, ratio, aim, met === undefined ? '' : met ? 'yes' : 'NO']
}
