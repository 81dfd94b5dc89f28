/**
 * Whether `text` fits `pattern`, in which `*` stands for any number of characters and `?` for one.
 * Each piece between two stars is looked for from where the one before it ended: an earlier match leaves more room for
 * those that follow, so nothing is ever tried again, as a regular expression would.
 */
export function matchesPattern(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*')
  const last = rest.pop()
  if (last === undefined) return text.length === first.length && fitsAt(first, text, 0)
  const end = text.length - last.length
  if (end < first.length || !fitsAt(first, text, 0) || !fitsAt(last, text, end)) return false
  let from = first.length
  for (const piece of rest) {
    const at = find(piece, text, from)
    if (at < 0) return false
    from = at + piece.length
  }
  return from <= end
}

/** The first place at or after `from` where `piece` fits, or -1. Its `?` apart, the search is the engine's own. */
function find(piece: string, text: string, from: number): number {
  if (!piece.includes('?')) return text.indexOf(piece, from)
  for (let at = from; at + piece.length <= text.length; at++) {
    if (fitsAt(piece, text, at)) return at
  }
  return -1
}

function fitsAt(piece: string, text: string, start: number): boolean {
  for (let n = 0; n < piece.length; n++) {
    const wanted = piece.charCodeAt(n)
    if (wanted !== questionMark && wanted !== text.charCodeAt(start + n)) return false
  }
  return true
}

const questionMark = 0x3f

/** The same for ARNs: a wildcard does not reach over a colon within the first five parts, unless it stands alone. */
export function matchesArn(pattern: string, arn: string): boolean {
  if (pattern === '*') return true
  const patterns = arnParts(pattern)
  const parts = arnParts(arn)
  return (
    patterns.length === 6 &&
    parts.length === 6 &&
    patterns.every((one, index) => matchesPattern(one, parts[index] ?? ''))
  )
}

/** Whether `matchesArn` can make sense of it. */
export function isArnPattern(pattern: string): boolean {
  return pattern === '*' || arnParts(pattern).length === 6
}

function arnParts(arn: string): string[] {
  const parts = arn.split(':')
  return parts.length < 6 ? parts : [...parts.slice(0, 5), parts.slice(5).join(':')]
}
