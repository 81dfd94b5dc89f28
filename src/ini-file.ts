import { parse } from 'ini'
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { messageOf, StrongroomError, systemCode } from './errors.ts'

/** The options of one section, all of them text. */
export type Options = Record<string, unknown>

/** Where an option stands, for what an error says. */
export interface Place {
  readonly file: string
  readonly section: string
}

/** An option that is there but empty counts as not set. */
export const optionalText = z
  .string()
  .transform((value) => (value === '' ? undefined : value))
  .optional()
export const requiredText = z.string('is missing').min(1, 'is empty')

/** The sections of a configuration file, by name. Throws SR_CONFIG_INVALID. */
export function readIniFile(file: string): Map<string, Options> {
  return iniSections(readText(file), file)
}

/** The same of a text; `file` is where it stands. Throws SR_CONFIG_INVALID. */
export function iniSections(text: string, file: string): Map<string, Options> {
  const sections = new Map<string, Options>()
  for (const [section, options] of Object.entries(parse(text))) {
    const known: unknown = options
    if (typeof known !== 'object' || known === null) {
      throw new StrongroomError('SR_CONFIG_INVALID', `${file}: option ${section}: stands outside any section`)
    }
    sections.set(
      section,
      Object.fromEntries(Object.entries(known).map(([name, value]) => [name, asText(value)])),
    )
  }
  return sections
}

/** The options of a section as `schema` reads them; throws SR_CONFIG_INVALID, whose text names file, section and option. */
export function checkSection<T>(schema: z.ZodType<T>, options: Options, place: Place): T {
  const result = schema.safeParse(options)
  if (result.success) return result.data
  const [issue] = result.error.issues
  if (issue?.code === 'unrecognized_keys') {
    throw invalidOption(place, `${issue.keys.join(', ')}: is no option of this section`)
  }
  throw invalidOption(place, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is wrong'}`)
}

export function invalidOption({ file, section }: Place, fault: string): StrongroomError {
  return new StrongroomError('SR_CONFIG_INVALID', `${file}: [${section}] ${fault}`)
}

/** Lets a parser of ours stand in a schema. */
export function orIssue<T>(read: (text: string) => T): (text: string, context: z.RefinementCtx) => T {
  return (text, context) => {
    try {
      return read(text)
    } catch (error) {
      context.addIssue({ code: 'custom', message: messageOf(error) })
      return z.NEVER
    }
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new StrongroomError(
      'SR_CONFIG_INVALID',
      `cannot read the configuration ${file} (${systemCode(error) ?? messageOf(error)})`,
      { cause: error },
    )
  }
}

/** The parser makes `true`, `false` and `null` of those words; here every option is text. */
function asText(value: unknown): unknown {
  return typeof value === 'boolean' || value === null ? String(value) : value
}
