/*
 * Names of files, what a server or a host says: others have written it, or whoever took them over. Nothing in it is to move a
 * terminal's cursor, begin a line of its own, or turn round the order of letters. Escaped as JSON escapes: what is printed as JSON stays
 * that.
 */

/** For what is to stay in its line. */
export function inOneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, escaped)
}

/** For what may have line breaks and tabs. */
export function inLines(text: string): string {
  return text.replace(/(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, escaped)
}

/** Of UTF-16 units, for some of these characters have two. */
function escaped(character: string): string {
  return character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')
}
