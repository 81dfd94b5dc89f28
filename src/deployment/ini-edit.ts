import { parse, safe } from 'ini'
import { StrongroomError } from '../errors.ts'

/** An option's value; undefined: the option must not be there. */
export type Wishes = Readonly<Record<string, string | undefined>>

/**
 * A configuration file with options of one section set; every other line, comments and their places stay as they are. What must change
 * changes where it stands; what is new comes to the section's end, a new section to the file's.
 * Throws SR_USAGE for a value that such a file can't hold, SR_CONFIG_INVALID where the section is there twice.
 */
export function withOptions(text: string, section: string, wishes: Wishes): string {
  const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n')
  const { start, end } = extent(lines, section)
  const added = Object.entries(wishes).flatMap(([name, value]) =>
    value === undefined ? [] : [lineFor(name, value)],
  )
  if (start === undefined) {
    if (added.length === 0) return text
    const gap = lines.length === 0 ? [] : ['']
    return joined([...lines, ...gap, `[${section}]`, ...added])
  }
  const seen = new Set<string>()
  const body = lines.slice(start, end).flatMap((line) => {
    const option = optionIn(line)
    if (option === undefined || !(option.name in wishes)) return [line]
    const { name, value, comment } = option
    const wanted = wishes[name]
    // Of several the last one counts; the first is kept.
    if (wanted === undefined || seen.has(name)) return []
    seen.add(name)
    return [value === wanted ? line : lineFor(name, wanted, comment)]
  })
  const missing = Object.entries(wishes).flatMap(([name, value]) =>
    value === undefined || seen.has(name) ? [] : [lineFor(name, value)],
  )
  const blank = trailingBlank(body)
  const kept = body.slice(0, body.length - blank)
  return joined([
    ...lines.slice(0, start),
    ...kept,
    ...missing,
    ...body.slice(body.length - blank),
    ...lines.slice(end),
  ])
}

/** The file without a section and what stands in it. */
export function withoutSection(text: string, section: string): string {
  const lines = text.replace(/\n$/, '').split('\n')
  const { start, end } = extent(lines, section)
  return start === undefined ? text : joined([...lines.slice(0, start - 1), ...lines.slice(end)])
}

/** The lines behind the section's heading. */
function extent(lines: readonly string[], section: string): { start: number | undefined; end: number } {
  const heading = lines.findIndex((line) => headingIn(line) === section)
  if (heading < 0) return { start: undefined, end: lines.length }
  if (lines.some((line, at) => at > heading && headingIn(line) === section))
    throw new StrongroomError('SR_CONFIG_INVALID', `[${section}] stands there more than once: make it one`)
  const next = lines.findIndex((line, at) => at > heading && headingIn(line) !== undefined)
  return { start: heading + 1, end: next < 0 ? lines.length : next }
}

function headingIn(line: string): string | undefined {
  return /^\s*\[([^\]]*)\]/.exec(line)?.[1]?.trim()
}

/** What an option's line says, as agent.conf is read, and the comment behind it. */
function optionIn(line: string): { name: string; value: unknown; comment: string } | undefined {
  const [name, value] = Object.entries(parse(line))[0] ?? []
  if (name === undefined || headingIn(line) !== undefined) return undefined
  return { name, value, comment: /(?<!\\)\s+[;#].*$/.exec(line)?.[0] ?? '' }
}

/** How many lines at the end are empty. */
function trailingBlank(lines: readonly string[]): number {
  const last = lines.findLastIndex((line) => line.trim() !== '')
  return lines.length - 1 - last
}

/** Behind a value in quotes no comment can stand; without them backslashes may be read as something else. */
function lineFor(name: string, value: string, comment = ''): string {
  const line = `${name} = ${safe(value)}`
  const quoted = `${name} = ${JSON.stringify(value)}`
  const readBack = [line + comment, line, quoted].find(
    (candidate) => String(optionIn(candidate)?.value) === value,
  )
  if (readBack !== undefined) return readBack
  throw new StrongroomError(
    'SR_USAGE',
    `${name}: ${JSON.stringify(value)} can't stand in a configuration file`,
  )
}

function joined(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`
}
