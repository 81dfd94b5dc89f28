/** As much of a .frm file as the options of its table take, and their header. */
export const tableDefinitionLength = 64 + 65536

const header = { length: 64, magic: Buffer.from([0xfe, 0x01]), lengthOfSecondPart: 4 } as const
const partWithOptions = 128

/**
 * The options that a table was created with and that only its engine knows, such as ENCRYPTION_KEY_ID, by what its .frm says.
 * undefined: it is no definition of a table, or none of MariaDB 5.2 or later.
 */
export function tableOptions(frm: Buffer): ReadonlyMap<string, string> | undefined {
  if (frm.length < header.length || !frm.subarray(0, 2).equals(header.magic)) return undefined
  const end = header.length + frm.readUInt16LE(header.lengthOfSecondPart)
  if (end > frm.length) return undefined
  const parts = partsIn(frm.subarray(header.length, end))
  return new Map(parts.flatMap(({ type, body }) => (type === partWithOptions ? optionsIn(body) : [])))
}

interface Part {
  readonly type: number
  readonly body: Buffer
}

/** Type (1 byte); length (1 byte, or 0 and 2 bytes, low one first); body. */
function partsIn(bytes: Buffer): Part[] {
  const parts: Part[] = []
  for (let at = 0; at + 4 <= bytes.length;) {
    const type = bytes.readUInt8(at)
    const short = bytes.readUInt8(at + 1)
    const begin = at + (short === 0 ? 4 : 2)
    const length = short === 0 ? bytes.readUInt16LE(at + 2) : short
    if (begin + length > bytes.length) break
    parts.push({ type, body: bytes.subarray(begin, begin + length) })
    at = begin + length
  }
  return parts
}

/** Length of the name (1 byte), name, length of the value (2 bytes, the highest bit for a quoted one), value; a 0 ends the table's. */
function optionsIn(body: Buffer): [name: string, value: string][] {
  const options: [string, string][] = []
  for (let at = 0; at < body.length && body.readUInt8(at) !== 0;) {
    const value = at + 1 + body.readUInt8(at) + 2
    if (value > body.length) break
    const end = value + (body.readUInt16LE(value - 2) & 0x7fff)
    options.push([body.toString('utf8', at + 1, value - 2).toUpperCase(), body.toString('utf8', value, end)])
    at = end
  }
  return options
}
