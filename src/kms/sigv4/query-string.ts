/** A name and a value, decoded. */
export type QueryPair = readonly [name: string, value: string]

/** The path and the query of a request target. */
export function splitTarget(target: string): { path: string; query: string } {
  const question = target.indexOf('?')
  if (question < 0) return { path: target, query: '' }
  return { path: target.slice(0, question), query: target.slice(question + 1) }
}

/**
 * The parameters of a query string in their order. A plus sign stays one: that is how it is signed, and what a request
 * means must not depend on whether it was sent as `+` or as `%2B`, which have one signature.
 */
export function queryPairs(query: string): QueryPair[] {
  return query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const equals = pair.indexOf('=')
      const [name, value] = equals < 0 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)]
      return [percentDecode(name), percentDecode(value)]
    })
}

/** What is not well encoded stays as it is: the signature then decides. */
function percentDecode(text: string): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
