import type { Effort } from './effort.ts'

/** A part of a pattern: text that stands for itself, any number of characters, or one character. */
export type PatternPart = { readonly text: string } | '*' | '?'

/** Ready to be matched: what stands before, between and behind the stars. Never empty. */
export type Pattern = readonly Piece[]

interface Piece {
  readonly text: string
  /** Where in `text` any character fits; undefined: nowhere. */
  readonly wild: ReadonlySet<number> | undefined
}

/** In a text for people, `*` and `?` are always wildcards; a pattern has them where they are meant to be. */
export function wildcardParts(text: string): PatternPart[] {
  return text
    .split(/([*?])/)
    .filter((part) => part !== '')
    .map((part) => (part === '*' || part === '?' ? part : { text: part }))
}

export function compile(parts: readonly PatternPart[]): Pattern {
  const pieces: { text: string; wild: number[] }[] = [{ text: '', wild: [] }]
  for (const part of parts) {
    const piece = pieces.at(-1)
    if (part === '*' || piece === undefined) {
      pieces.push({ text: '', wild: [] })
    } else if (part === '?') {
      piece.wild.push(piece.text.length)
      piece.text += '?'
    } else {
      piece.text += part.text
    }
  }
  return pieces.map(({ text, wild }) => ({ text, wild: wild.length === 0 ? undefined : new Set(wild) }))
}

/**
 * Whether `text` fits the pattern. Each piece between two stars is looked for from where the one before it ended: an
 * earlier match leaves more room for those that follow, so nothing is ever tried again, as a regular expression would.
 */
export function matches(pattern: Pattern, text: string, effort: Effort): boolean {
  effort.spend(8)
  const [first, ...rest] = pattern
  const last = rest.pop()
  if (first === undefined) return false
  if (last === undefined) return text.length === first.text.length && fitsAt(first, text, 0, effort)
  const end = text.length - last.text.length
  if (end < first.text.length) return false
  if (!fitsAt(first, text, 0, effort) || !fitsAt(last, text, end, effort)) return false
  let from = first.text.length
  for (const piece of rest) {
    const at = find(piece, text, from, effort)
    if (at < 0) return false
    from = at + piece.text.length
  }
  return from <= end
}

/** What a pattern without wildcards stands for. */
export function literal(pattern: Pattern): string {
  return pattern[0]?.text ?? ''
}

/** The first place at or after `from` where `piece` fits, or -1. Its `?` apart, the search is the engine's own. */
function find(piece: Piece, text: string, from: number, effort: Effort): number {
  if (piece.wild === undefined) {
    effort.spend(1 + piece.text.length * Math.max(0, text.length - from))
    return text.indexOf(piece.text, from)
  }
  for (let at = from; at + piece.text.length <= text.length; at++) {
    if (fitsAt(piece, text, at, effort)) return at
  }
  return -1
}

function fitsAt(piece: Piece, text: string, start: number, effort: Effort): boolean {
  effort.spend(1 + piece.text.length)
  if (piece.wild === undefined) return text.startsWith(piece.text, start)
  for (let n = 0; n < piece.text.length; n++) {
    if (piece.text.charCodeAt(n) !== text.charCodeAt(start + n) && !piece.wild.has(n)) return false
  }
  return true
}
