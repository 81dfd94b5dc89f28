import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

/** For tests: a secret, and where it was found. */
export interface Finding {
  readonly secret: string
  readonly form: string
  readonly place: string
}

interface Needle {
  readonly secret: string
  readonly form: string
  readonly bytes: string
}

/** So many bytes of a secret in a row count as the secret. */
const windowLength = 12
/** Every needle has at least so many bytes; by these it is looked up. */
const startLength = 8

/**
 * Looks for many secrets at once, in every form in which one could be written down, and for every part of
 * one that is 12 bytes long.
 */
export class SecretSearch {
  readonly #needles = new Map<string, Needle[]>()
  readonly #codes = new Map<string, string>()
  readonly #added = new Set<string>()

  /** How many secrets are looked for. */
  get size(): number {
    return this.#added.size
  }

  /** A secret that was added before keeps its name. */
  add(name: string, secret: string | Uint8Array): void {
    const bytes = Buffer.from(secret)
    if (this.#added.has(bytes.toString('hex'))) return
    this.#added.add(bytes.toString('hex'))
    if (bytes.length < windowLength) throw new Error(`${name} is too short to be looked for`)
    for (let at = 0; at + windowLength <= bytes.length; at++) {
      const window = bytes.subarray(at, at + windowLength)
      for (const [form, text] of formsOf(window)) this.#addNeedle({ secret: name, form, bytes: text })
    }
    // Decoding replaces what is no UTF-8, so that parts don't look as in the whole.
    const lossy = Buffer.from(bytes.toString('utf8'), 'utf8').toString('latin1')
    if (lossy !== bytes.toString('latin1')) {
      this.#addNeedle({ secret: name, form: 'decoded as UTF-8', bytes: lossy })
    }
  }

  /** A code of six digits: found where it stands by itself. */
  addCode(name: string, code: string): void {
    this.#added.add(code)
    this.#codes.set(code, name)
  }

  /** Every secret that is in there, once for each form. */
  in(content: Uint8Array | string, place: string): Finding[] {
    const text = Buffer.from(content).toString('latin1')
    const found = new Map<string, Finding>()
    for (let at = 0; at + startLength <= text.length; at++) {
      for (const { secret, form, bytes } of this.#needles.get(text.slice(at, at + startLength)) ?? []) {
        if (text.startsWith(bytes, at)) found.set(`${secret} ${form}`, { secret, form, place })
      }
    }
    for (const [code] of text.matchAll(/(?<![\w.+/=-])\d{6}(?![\w.+/=-])/g)) {
      const secret = this.#codes.get(code)
      if (secret !== undefined) found.set(secret, { secret, form: 'code', place })
    }
    return [...found.values()]
  }

  /** In the files of a directory, at any depth, and in their names. */
  inFiles(directory: string): { found: Finding[]; searched: string[] } {
    const found: Finding[] = []
    const searched: string[] = []
    for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
      found.push(...this.in(name, `the name of ${name}`))
      const path = join(directory, name)
      if (!lstatSync(path).isFile()) continue
      searched.push(relative(directory, path))
      found.push(...this.in(readFileSync(path), relative(directory, path)))
    }
    return { found, searched }
  }

  #addNeedle(needle: Needle): void {
    const start = needle.bytes.slice(0, startLength)
    const others = this.#needles.get(start)
    if (others === undefined) this.#needles.set(start, [needle])
    else if (!others.some(({ secret, bytes }) => secret === needle.secret && bytes === needle.bytes))
      others.push(needle)
  }
}

/** Latin-1 of the bytes as they would be written. */
function formsOf(bytes: Buffer): [form: string, text: string][] {
  const hex = bytes.toString('hex')
  const latin1 = bytes.toString('latin1')
  const numbers = [...bytes].map(String)
  return [
    ['raw', latin1],
    ['hex', hex],
    ['HEX', hex.toUpperCase()],
    ['hex with spaces', hex.replace(/(..)(?=.)/g, '$1 ')],
    ['list of numbers', numbers.join(',')],
    ['list of numbers', numbers.join(', ')],
    ['JSON object of numbers', numbers.map((number, at) => `"${at}":${number}`).join(',')],
    ['UTF-8 of Latin-1', Buffer.from(latin1, 'utf8').toString('latin1')],
    ['JSON string', Buffer.from(JSON.stringify(latin1).slice(1, -1)).toString('latin1')],
    ['JSON string in a JSON string', JSON.stringify(JSON.stringify(latin1).slice(1, -1)).slice(1, -1)],
    ['percent-encoded', encodeURIComponent(latin1)],
    ['percent-encoded bytes', hex.toUpperCase().replace(/(..)/g, '%$1')],
    ['XML', latin1.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)],
    ...encoded(bytes, 3, 4, (padded) => padded.toString('base64')).flatMap((text): [string, string][] => [
      ['base64', text],
      ['base64url', text.replaceAll('+', '-').replaceAll('/', '_')],
      ['base64 with escaped slashes', text.replaceAll('/', '\\/')],
      ['percent-encoded base64', encodeURIComponent(text)],
    ]),
    ...encoded(bytes, 5, 8, base32).flatMap((text): [string, string][] => [
      ['base32', text],
      ['base32', text.toLowerCase()],
    ]),
  ]
}

/**
 * How the bytes look inside of a longer text, wherever in its groups they begin: the characters that they alone decide.
 * A group of `inBytes` bytes is one of `inCharacters` characters.
 */
function encoded(
  bytes: Buffer,
  inBytes: number,
  inCharacters: number,
  encode: (bytes: Buffer) => string,
): string[] {
  const bitsEach = (inBytes * 8) / inCharacters
  return Array.from({ length: inBytes }, (_, before) => {
    const text = encode(Buffer.concat([Buffer.alloc(before), bytes, Buffer.alloc(inBytes)]))
    const from = Math.ceil((before * 8) / bitsEach)
    const to = Math.floor(((before + bytes.length) * 8) / bitsEach)
    return text.slice(from, to)
  })
}

function base32(bytes: Buffer): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const groups = bits.match(/.{1,5}/g) ?? []
  return groups
    .map((group) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.charAt(parseInt(group.padEnd(5, '0'), 2)))
    .join('')
}
