/** A value of an answer: text, number, or the like, or a structure, or a list, or a map. */
export type XmlValue =
  | string
  | number
  | boolean
  | Date
  | undefined
  | XmlStructure
  | readonly XmlValue[]
  | ReadonlyMap<string, string | number>
export interface XmlStructure {
  readonly [name: string]: XmlValue
}

/** `name` must be an XML name. Nothing when there is no value. */
export function element(name: string, value: XmlValue): string {
  return value === undefined ? '' : `<${name}>${content(value)}</${name}>`
}

function content(value: Exclude<XmlValue, undefined>): string {
  if (typeof value === 'string') return escape(value)
  if (typeof value === 'boolean' || typeof value === 'number') return String(value)
  if (value instanceof Date) return `${value.toISOString().slice(0, 19)}Z`
  if (isList(value)) return value.map((one) => element('member', one)).join('')
  if (isMap(value)) return [...value].map(([key, one]) => element('entry', { key, value: one })).join('')
  return Object.entries(value)
    .map(([name, one]) => element(name, one))
    .join('')
}

type XmlMap = ReadonlyMap<string, string | number>

function isList(value: XmlStructure | XmlMap | readonly XmlValue[]): value is readonly XmlValue[] {
  return Array.isArray(value)
}

function isMap(value: XmlStructure | XmlMap): value is XmlMap {
  return value instanceof Map
}

/**
 * XML 1.0 has no form at all for most control characters and for lone surrogates: they become U+FFFD, so that the
 * answer can be read, whatever a stored text holds. A carriage return has to be escaped, or readers make it a newline.
 * https://www.w3.org/TR/xml/#charsets
 */
function escape(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\p{Cc}\ufffe\uffff]/gu, (c) => (isXmlCharacter(c) ? c : '\ufffd'))
    .replace(/[&<>"\r]/g, (c) => `&#${c.charCodeAt(0)};`)
}

function isXmlCharacter(c: string): boolean {
  return c === '\t' || c === '\n' || c === '\r' || (c >= '\u007f' && c < '\ufffe')
}
