/** So many names are said; the others are counted. */
const said = 8

/** "t1, t2 and 3 more" */
export function nameList(names: readonly string[]): string {
  const more = names.length - said
  return more > 0
    ? `${names.slice(0, said).join(', ')} and ${more.toLocaleString('en')} more`
    : names.join(', ')
}

/** "1 page", "1,204 pages" */
export function counted(count: number, thing: string): string {
  return `${count.toLocaleString('en')} ${thing}${count === 1 ? '' : 's'}`
}
