/** So many unchanged lines are shown around a change. */
const around = 3

type Line = readonly [sign: ' ' | '-' | '+', text: string]

/** The hunks of a unified diff, as `diff -u` writes them; none where the texts are the same. */
export function unifiedHunks(former: string, next: string): string[] {
  const lines = align(linesOf(former), linesOf(next))
  const changed = lines.flatMap(([sign], at) => (sign === ' ' ? [] : [at]))
  const ranges: [from: number, to: number][] = []
  for (const at of changed) {
    const last = ranges.at(-1)
    if (last !== undefined && at - around <= last[1]) last[1] = at + around + 1
    else ranges.push([Math.max(0, at - around), at + around + 1])
  }
  return ranges.flatMap(([from, to]) => hunk(lines, from, Math.min(to, lines.length)))
}

function hunk(lines: readonly Line[], from: number, to: number): string[] {
  const count = (part: readonly Line[], sign: '-' | '+') =>
    part.filter(([s]) => s === ' ' || s === sign).length
  const range = (sign: '-' | '+') => {
    const length = count(lines.slice(from, to), sign)
    const before = count(lines.slice(0, from), sign)
    const start = length === 0 ? before : before + 1
    return length === 1 ? String(start) : `${start},${length}`
  }
  return [`@@ -${range('-')} +${range('+')} @@`, ...lines.slice(from, to).map(([sign, text]) => sign + text)]
}

/** By their longest common subsequence; configuration files are short. */
function align(former: readonly string[], next: readonly string[]): Line[] {
  const common = commonLengths(former, next)
  const lines: Line[] = []
  let [i, j] = [0, 0]
  while (i < former.length || j < next.length) {
    const [old, fresh] = [former[i], next[j]]
    if (old !== undefined && old === fresh) {
      lines.push([' ', old])
      i += 1
      j += 1
    } else if (old !== undefined && (common[i + 1]?.[j] ?? 0) >= (common[i]?.[j + 1] ?? 0)) {
      lines.push(['-', old])
      i += 1
    } else if (fresh !== undefined) {
      lines.push(['+', fresh])
      j += 1
    }
  }
  return lines
}

/** Of what remains of both from each pair of lines on. */
function commonLengths(former: readonly string[], next: readonly string[]): number[][] {
  const table = Array.from({ length: former.length + 1 }, () => new Array<number>(next.length + 1).fill(0))
  for (let i = former.length - 1; i >= 0; i--) {
    for (let j = next.length - 1; j >= 0; j--) {
      const below = table[i + 1] ?? []
      const value =
        former[i] === next[j] ? (below[j + 1] ?? 0) + 1 : Math.max(below[j] ?? 0, table[i]?.[j + 1] ?? 0)
      table[i]?.splice(j, 1, value)
    }
  }
  return table
}

function linesOf(text: string): string[] {
  if (text === '') return []
  const lines = text.split('\n')
  return lines.at(-1) === ''
    ? lines.slice(0, -1)
    : [...lines.slice(0, -1), `${lines.at(-1) ?? ''}\n\\ No newline at end of file`]
}
