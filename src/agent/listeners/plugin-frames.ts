import { StrongroomError } from '../../errors.ts'
import { maxVersion, secretBuffer } from '../../keyring/data-key.ts'

/** The frames of docs/plugin-protocol.md. */

export const protocolVersion = 1
export const headerLength = 16
const longestPayload = 4096
const magic = Buffer.from('SRKM')

export type TextOptions = ReadonlyMap<string, string>

export type PluginFrame =
  | { readonly type: 'hello'; readonly version: number; readonly options: TextOptions }
  | { readonly type: 'get key'; readonly request: number; readonly keyId: number; readonly version: number }
  | { readonly type: 'get latest'; readonly request: number; readonly keyId: number }
  /** Key id 0: every id that has a key. */
  | { readonly type: 'rotate'; readonly request: number; readonly keyId: number }

/** The names that an answer repeats: version 0 is the latest. */
interface Asked {
  readonly request: number
  readonly keyId: number
  readonly version: number
}

export interface KeyFrame extends Asked {
  readonly type: 'key'
  readonly isLatest: boolean
  readonly isGenerated: boolean
  readonly bytes: Buffer
}

export type AgentFrame =
  | { readonly type: 'welcome'; readonly version: number; readonly options: TextOptions }
  | KeyFrame
  | (Asked & { readonly type: 'absent'; readonly text: string })
  | (Asked & {
      readonly type: 'failed'
      readonly undecrypted: boolean
      readonly again: boolean
      readonly text: string
    })
  | { readonly type: 'rotated'; readonly request: number; readonly keyId: number; readonly text: string }
  | { readonly type: 'refused'; readonly text: string }

type Frame = PluginFrame | AgentFrame

const types = {
  hello: 0x01,
  'get key': 0x02,
  'get latest': 0x03,
  rotate: 0x04,
  welcome: 0x81,
  key: 0x82,
  absent: 0x83,
  failed: 0x84,
  rotated: 0x85,
  refused: 0x86,
} as const

const flags = { latest: 0x01, generated: 0x02, undecrypted: 0x04, again: 0x08 } as const

export interface Header {
  readonly type: number
  readonly flags: number
  readonly length: number
  readonly request: number
  readonly keyId: number
  readonly version: number
}

/** What a number of a header may be: 0 alone, anything but 0, or either. */
type Bound = 'zero' | 'given' | 'any'

interface Rule<F extends Frame> {
  readonly flags: number
  readonly lengths: (length: number) => boolean
  readonly request: Bound
  readonly keyId: Bound
  /** `protocol`: it is no key's version. */
  readonly version: Bound | 'protocol'
  readonly read: (header: Header, payload: Buffer) => F
}

type Rules<F extends Frame> = ReadonlyMap<number, Rule<F>>

const none = (length: number) => length === 0
const text = (length: number) => length <= longestPayload
const withMagic = (length: number) => length >= magic.length && length <= longestPayload
const keyBytes = (length: number) => length === 16 || length === 32

const pluginRules: Rules<PluginFrame> = new Map<number, Rule<PluginFrame>>([
  [
    types.hello,
    {
      ...{ flags: 0, lengths: withMagic, request: 'zero', keyId: 'zero', version: 'protocol' },
      read: ({ version }, payload) => ({ type: 'hello', version, options: readOptions(payload) }),
    },
  ],
  [
    types['get key'],
    {
      ...{ flags: 0, lengths: none, request: 'given', keyId: 'given', version: 'given' },
      read: ({ request, keyId, version }) => ({ type: 'get key', request, keyId, version }),
    },
  ],
  [
    types['get latest'],
    {
      ...{ flags: 0, lengths: none, request: 'given', keyId: 'given', version: 'zero' },
      read: ({ request, keyId }) => ({ type: 'get latest', request, keyId }),
    },
  ],
  [
    types.rotate,
    {
      ...{ flags: 0, lengths: none, request: 'given', keyId: 'any', version: 'zero' },
      read: ({ request, keyId }) => ({ type: 'rotate', request, keyId }),
    },
  ],
])

const agentRules: Rules<AgentFrame> = new Map<number, Rule<AgentFrame>>([
  [
    types.welcome,
    {
      ...{ flags: 0, lengths: withMagic, request: 'zero', keyId: 'zero', version: 'protocol' },
      read: ({ version }, payload) => ({ type: 'welcome', version, options: readOptions(payload) }),
    },
  ],
  [
    types.key,
    {
      ...{ flags: flags.latest | flags.generated, lengths: keyBytes },
      ...{ request: 'any', keyId: 'given', version: 'given' },
      read: ({ request, keyId, version, flags: set }, payload) => {
        const isLatest = (set & flags.latest) !== 0
        if (request === 0 && !isLatest) throw malformed('a key that was not asked for is not the latest')
        const isGenerated = (set & flags.generated) !== 0
        return { type: 'key', request, keyId, version, isLatest, isGenerated, bytes: payload }
      },
    },
  ],
  [
    types.absent,
    {
      ...{ flags: 0, lengths: text, request: 'given', keyId: 'given', version: 'any' },
      read: ({ request, keyId, version }, payload) => ({
        ...{ type: 'absent', request, keyId, version },
        text: decodeUtf8(payload),
      }),
    },
  ],
  [
    types.failed,
    {
      ...{ flags: flags.undecrypted | flags.again, lengths: text },
      ...{ request: 'given', keyId: 'any', version: 'any' },
      read: ({ request, keyId, version, flags: set }, payload) => ({
        ...{ type: 'failed', request, keyId, version },
        undecrypted: (set & flags.undecrypted) !== 0,
        again: (set & flags.again) !== 0,
        text: decodeUtf8(payload),
      }),
    },
  ],
  [
    types.rotated,
    {
      ...{ flags: 0, lengths: text, request: 'given', keyId: 'any', version: 'zero' },
      read: ({ request, keyId }, payload) => ({ type: 'rotated', request, keyId, text: decodeUtf8(payload) }),
    },
  ],
  [
    types.refused,
    {
      ...{ flags: 0, lengths: text, request: 'zero', keyId: 'zero', version: 'zero' },
      read: (_, payload) => ({ type: 'refused', text: decodeUtf8(payload) }),
    },
  ],
])

/** Takes a stream of bytes apart. It holds back no more than one unfinished frame. */
export class FrameReader<F extends Frame> {
  readonly #rules: Rules<F>
  #rest: Buffer = Buffer.alloc(0)

  private constructor(rules: Rules<F>) {
    this.#rules = rules
  }

  static fromPlugin(): FrameReader<PluginFrame> {
    return new FrameReader(pluginRules)
  }

  static fromAgent(): FrameReader<AgentFrame> {
    return new FrameReader(agentRules)
  }

  /** Whether bytes of an unfinished frame are waiting for its end. */
  get isWithinFrame(): boolean {
    return this.#rest.length > 0
  }

  /** The frames that end in these bytes. Throws SR_PLUGIN_PROTOCOL at the first that isn't one; nothing can follow. */
  *read(chunk: Buffer): Generator<F, void> {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let start = 0
    while (bytes.length - start >= headerLength) {
      const header = readHeader(bytes.subarray(start))
      const rule = ruleFor(header, this.#rules)
      const end = start + headerLength + header.length
      if (bytes.length < end) break
      yield rule.read(header, bytes.subarray(start + headerLength, end))
      start = end
    }
    // A copy: the unfinished part must not keep the whole chunk in memory.
    this.#rest = Buffer.from(bytes.subarray(start))
  }
}

export function readHeader(bytes: Buffer): Header {
  return {
    type: bytes.readUInt8(0),
    flags: bytes.readUInt8(1),
    length: bytes.readUInt16BE(2),
    request: bytes.readUInt32BE(4),
    keyId: bytes.readUInt32BE(8),
    version: bytes.readUInt32BE(12),
  }
}

function ruleFor<F extends Frame>(header: Header, rules: Rules<F>): Rule<F> {
  const rule = rules.get(header.type)
  if (rule === undefined) throw malformed(`type 0x${header.type.toString(16)} is not known`)
  if ((header.flags & ~rule.flags) !== 0)
    throw malformed(`flags 0x${header.flags.toString(16)} are not known`)
  if (!rule.lengths(header.length)) throw malformed(`the payload has ${header.length} bytes`)
  requireBound('request number', header.request, rule.request)
  requireBound('key id', header.keyId, rule.keyId)
  if (rule.version !== 'protocol') {
    requireBound('version', header.version, rule.version)
    if (header.version > maxVersion) throw malformed(`no key has version ${header.version}`)
  }
  return rule
}

function requireBound(what: string, value: number, bound: Bound): void {
  if (bound === 'zero' && value !== 0) throw malformed(`the ${what} is ${value} where it must be 0`)
  if (bound === 'given' && value === 0) throw malformed(`the ${what} is 0`)
}

function readOptions(payload: Buffer): TextOptions {
  if (!payload.subarray(0, magic.length).equals(magic)) throw malformed('it does not begin with SRKM')
  const options = new Map<string, string>()
  let rest = payload.subarray(magic.length)
  while (rest.length > 0) {
    const end = rest.indexOf(0)
    if (end < 0) throw malformed('an option has no end')
    const [, name, value] = /^([^=]+)=(.*)$/s.exec(decodeUtf8(rest.subarray(0, end))) ?? []
    if (name === undefined || value === undefined) throw malformed('an option is not name=value')
    if (options.has(name)) throw malformed(`the option ${JSON.stringify(name)} is there twice`)
    options.set(name, value)
    rest = rest.subarray(end + 1)
  }
  return options
}

function decodeUtf8(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw malformed('a text is not UTF-8')
  }
}

function malformed(why: string): StrongroomError {
  return new StrongroomError('SR_PLUGIN_PROTOCOL', `not a frame of the plugin protocol: ${why}`)
}

/** What holds a key lies in a `secretBuffer`, to be zeroed by the caller. */
export function encodeFrame(frame: Frame): Buffer {
  const payload = payloadOf(frame)
  const bytes =
    frame.type === 'key'
      ? secretBuffer(headerLength + payload.length)
      : Buffer.alloc(headerLength + payload.length)
  bytes.writeUInt8(types[frame.type], 0)
  bytes.writeUInt8(flagsOf(frame), 1)
  bytes.writeUInt16BE(payload.length, 2)
  bytes.writeUInt32BE('request' in frame ? frame.request : 0, 4)
  bytes.writeUInt32BE('keyId' in frame ? frame.keyId : 0, 8)
  bytes.writeUInt32BE('version' in frame ? frame.version : 0, 12)
  payload.copy(bytes, headerLength)
  return bytes
}

function payloadOf(frame: Frame): Buffer {
  if ('options' in frame) {
    const options = [...frame.options].map(([name, value]) => `${name}=${value}\0`)
    return Buffer.concat([magic, Buffer.from(options.join(''))])
  }
  if ('bytes' in frame) return frame.bytes
  return 'text' in frame ? cutText(frame.text) : Buffer.alloc(0)
}

/** What doesn't fit is left out, character by character. */
function cutText(whole: string): Buffer {
  const bytes = Buffer.from(whole)
  let end = Math.min(bytes.length, longestPayload)
  // Bytes within a character are 10xxxxxx (RFC 3629).
  while (end < bytes.length && (bytes.readUInt8(end) & 0xc0) === 0x80) end -= 1
  return bytes.subarray(0, end)
}

function flagsOf(frame: Frame): number {
  if (frame.type === 'key') {
    return (frame.isLatest ? flags.latest : 0) | (frame.isGenerated ? flags.generated : 0)
  }
  if (frame.type === 'failed') {
    return (frame.undecrypted ? flags.undecrypted : 0) | (frame.again ? flags.again : 0)
  }
  return 0
}
