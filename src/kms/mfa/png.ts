import { crc32, deflateSync } from 'node:zlib'

const signature = Buffer.from('89504e470d0a1a0a', 'hex')
const bitDepth = 1
const greyscale = 0

/**
 * A black and white picture, `true` for black, with each module drawn as a square of `scale` pixels.
 * https://www.w3.org/TR/png/
 */
export function blackAndWhitePng(modules: readonly (readonly boolean[])[], scale: number): Buffer {
  const width = (modules[0]?.length ?? 0) * scale
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(modules.length * scale, 4)
  header.writeUInt8(bitDepth, 8)
  header.writeUInt8(greyscale, 9)
  const lines = modules.flatMap((row) => Array<Buffer>(scale).fill(scanline(row, width, scale)))
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.concat(lines))),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

/** The filter's number (0: none), then one bit per pixel, 1 for white. */
function scanline(row: readonly boolean[], width: number, scale: number): Buffer {
  const line = Buffer.alloc(1 + Math.ceil(width / 8))
  for (let x = 0; x < width; x++) {
    if (row[Math.floor(x / scale)] === true) continue
    const at = 1 + (x >> 3)
    line.writeUInt8(line.readUInt8(at) | (0x80 >> (x & 7)), at)
  }
  return line
}

function chunk(type: string, data: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(data.length)
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const checksum = Buffer.alloc(4)
  checksum.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, checksum])
}
