/**
 * Whether `text` fits `pattern`, in which `*` stands for any number of characters and `?` for one.
 * Linear in the product of the lengths: a policy can't make a request slow, as a regular expression could.
 */
export function matchesPattern(pattern: string, text: string): boolean {
  let at = 0
  let star = -1
  let retryFrom = 0
  let p = 0
  while (at < text.length) {
    // A star first: it is a wildcard even where the text holds a star itself.
    if (pattern[p] === '*') {
      star = p++
      retryFrom = at
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[at])) {
      p++
      at++
    } else if (star >= 0) {
      p = star + 1
      at = ++retryFrom
    } else {
      return false
    }
  }
  while (pattern[p] === '*') p++
  return p === pattern.length
}

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
