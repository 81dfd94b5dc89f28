/** A text of at most `longest` characters; one that was longer ends with an ellipsis. */
export function shortened(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest - 1)}…`
}
