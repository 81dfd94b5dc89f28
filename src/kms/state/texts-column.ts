/** A JSON object of strings. Not by a schema: those drop a member named `__proto__`, which is a good name for a tag. */
export function readTexts(column: string): ReadonlyMap<string, string> {
  const value: unknown = JSON.parse(column)
  const texts = new Map<string, string>()
  if (typeof value !== 'object' || value === null) throw new Error('not an object of strings')
  for (const [name, text] of Object.entries<unknown>({ ...value })) {
    if (typeof text !== 'string') throw new Error('not an object of strings')
    texts.set(name, text)
  }
  return texts
}

export function writeTexts(texts: ReadonlyMap<string, string>): string {
  return JSON.stringify(Object.fromEntries(texts))
}
