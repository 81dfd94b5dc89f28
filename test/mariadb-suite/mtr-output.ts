/** What became of one test in one combination of options. */
export interface TestResult {
  /** Such as `encryption.tempfiles 'agent,crc32'`. */
  readonly name: string
  readonly outcome: 'pass' | 'fail' | 'skip'
  /** Of a test that was skipped. */
  readonly reason: string
  /** Of a test that failed: all that was printed about it. */
  readonly details: string
}

const resultLine = /^(\w+\.[\w.-]+)(?: '([^']*)')?\s+(?:w\d+ )?\[ ([\w-]+) \]\s*(.*)$/

/** Behind the last result. */
const endOfResults = /^-{20,}$/

/** Reads what `mtr` printed. */
export function readResults(output: string): TestResult[] {
  const results: { lines: string[]; result: TestResult }[] = []
  for (const line of output.split('\n')) {
    const result = resultOf(line)
    if (result !== undefined) results.push({ lines: [line], result })
    else if (endOfResults.test(line) && results.length > 0) break
    else results.at(-1)?.lines.push(line)
  }
  return results.map(({ lines, result }) =>
    result.outcome === 'fail' ? { ...result, details: lines.join('\n') } : result,
  )
}

/** Without the combination. */
export function testOf(name: string): string {
  return name.split(' ', 1)[0] ?? name
}

/** Of the server, such as 10.11.19-MariaDB-0+deb12u1. */
export function serverVersion(output: string): string | undefined {
  return /^MariaDB Version (\S+)/m.exec(output)?.[1]
}

function resultOf(line: string): TestResult | undefined {
  const [, test, combination, word, rest = ''] = resultLine.exec(line) ?? []
  if (test === undefined) return undefined
  const name = combination === undefined ? test : `${test} '${combination}'`
  if (word === 'pass') return { name, outcome: 'pass', reason: '', details: '' }
  if (word === 'skipped' || word === 'disabled')
    return { name, outcome: 'skip', reason: rest.trim(), details: '' }
  return { name, outcome: 'fail', reason: '', details: '' }
}
