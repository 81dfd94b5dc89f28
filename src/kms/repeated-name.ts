/**
 * The name of a member that some object in `json` has twice, or undefined when there is none. `JSON.parse` takes the
 * last of them without a word, and another reader the first: a signed request or a policy must not mean two things.
 * Names are compared unescaped. `json` must be well formed, that is, `JSON.parse` has accepted it. Takes linear time.
 */
export function repeatedName(json: string): string | undefined {
  /** For each object or array that is open: the names so far, or undefined for an array. */
  const open: (Set<string> | undefined)[] = []
  let nameIsNext = false
  for (let at = 0; at < json.length; at++) {
    const character = json[at]
    if (character === '"') {
      const end = endOfString(json, at)
      const names = open.at(-1)
      if (nameIsNext && names !== undefined) {
        const name = unescaped(json.slice(at, end + 1))
        if (names.has(name)) return name
        names.add(name)
        nameIsNext = false
      }
      at = end
    } else if (character === '{' || character === '[') {
      open.push(character === '{' ? new Set() : undefined)
      nameIsNext = character === '{'
    } else if (character === '}' || character === ']') {
      open.pop()
      nameIsNext = false
    } else if (character === ',') {
      nameIsNext = open.at(-1) !== undefined
    }
  }
  return undefined
}

/** The index of the quote that ends the string that begins at `start`: one behind an even number of backslashes. */
function endOfString(json: string, start: number): number {
  for (let end = json.indexOf('"', start + 1); end > 0; end = json.indexOf('"', end + 1)) {
    let backslashes = 0
    while (json[end - 1 - backslashes] === '\\') backslashes++
    if (backslashes % 2 === 0) return end
  }
  return json.length
}

function unescaped(quoted: string): string {
  return quoted.includes('\\') ? String(JSON.parse(quoted)) : quoted.slice(1, -1)
}
