/** What the start of a binary or relay log says; the server encrypts with key 1. */
export type BinaryLogStart =
  | { readonly encrypted: true; readonly keyVersion: number }
  /** `holdsEvents`: something follows the description of the format, which holds no data. */
  | { readonly encrypted: false; readonly holdsEvents: boolean }

/** The key id of binary and relay logs (sql/log_event.h). */
export const binaryLogKeyId = 1

/** As much of a file as `readBinaryLogStart` wants to see. */
export const binaryLogStartLength = 1024

const magic = Buffer.from('\xfebin', 'latin1')
const eventTypes = { formatDescription: 15, startEncryption: 164 } as const

/**
 * A binary log begins with its magic and a Format_description event. In an encrypted one a Start_encryption event follows, and that is
 * the last of it in the clear: scheme (1 byte), key version (4 bytes, low one first), nonce (12 bytes).
 * undefined: it is no binary log.
 */
export function readBinaryLogStart(start: Buffer): BinaryLogStart | undefined {
  if (!start.subarray(0, magic.length).equals(magic)) return undefined
  const first = eventAt(start, magic.length)
  // A server that has just made the file writes this next.
  if (first === undefined) return { encrypted: false, holdsEvents: false }
  if (first.type !== eventTypes.formatDescription) return undefined
  const second = eventAt(start, first.end)
  if (second === undefined) return { encrypted: false, holdsEvents: false }
  if (second.type !== eventTypes.startEncryption) return { encrypted: false, holdsEvents: true }
  if (second.body.length < 5) return undefined
  return { encrypted: true, keyVersion: second.body.readUInt32LE(1) }
}

interface LogEvent {
  readonly type: number
  readonly body: Buffer
  readonly end: number
}

/** Of an event's header of 19 bytes: its type, its length. Of its body as much as is there. */
function eventAt(start: Buffer, at: number): LogEvent | undefined {
  if (at + headerLength > start.length) return undefined
  const length = start.readUInt32LE(at + 9)
  if (length < headerLength) return undefined
  const end = at + length
  return { type: start.readUInt8(at + 4), body: start.subarray(at + headerLength, end), end }
}

const headerLength = 19
