import type { DecryptCommand } from '@aws-sdk/client-kms'

type Stack = DecryptCommand['middlewareStack']

/** As AWS and our own service write it (JSON 1.1, `Plaintext` in base64). */
const member = Buffer.from('"Plaintext":"')
const quote = 0x22
const space = 0x20

/**
 * Takes the plaintext out of Decrypt's answer before the SDK makes strings of it, which nobody can zero: the SDK reads
 * an answer whose plaintext is empty. Returns how to get it after the command was sent; the caller zeroes it.
 */
export function takePlaintext(stack: Stack): () => Buffer {
  let plaintext: Buffer | undefined
  stack.add(
    (next) => async (args) => {
      const result = await next(args)
      const { response } = result
      if (isAnswer(response) && response.statusCode === 200) {
        const body = await readWhole(response.body)
        plaintext = cutPlaintext(body)
        response.body = body
      }
      return result
    },
    // Nearest to the wire, before the SDK's own deserialiser.
    { step: 'deserialize', priority: 'low', name: 'takePlaintext' },
  )
  return () => plaintext ?? noPlaintext()
}

/** Decodes the plaintext of an answer and blanks it there. */
export function cutPlaintext(body: Buffer): Buffer {
  const at = body.indexOf(member)
  const begin = at + member.length
  const end = at < 0 ? -1 : body.indexOf(quote, begin)
  if (end < 0) return noPlaintext()
  const digits = body.subarray(begin, end)
  const plaintext = decodeBase64(digits)
  // What is left is an empty string, and spaces, which JSON skips.
  digits.fill(space)
  body.writeUInt8(quote, begin)
  if (end > begin) body.writeUInt8(space, end)
  return plaintext
}

function noPlaintext(): never {
  throw new Error('its answer holds no plaintext')
}

/** RFC 4648, section 4; Node.js decodes base64 from strings alone. */
function decodeBase64(digits: Buffer): Buffer {
  const bytes: Buffer = Buffer.alloc(Math.floor((digits.length * 3) / 4))
  let length = 0
  let bits = 0
  let value = 0
  for (const digit of digits) {
    const next = valueOf(digit)
    if (next < 0) break
    value = ((value << 6) | next) & 0xfff
    bits += 6
    if (bits < 8) continue
    bits -= 8
    length = bytes.writeUInt8((value >> bits) & 0xff, length)
  }
  return bytes.subarray(0, length)
}

const alphabet = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/')

function valueOf(digit: number): number {
  return alphabet.indexOf(digit)
}

/** The parts are zeroed once they are put together. */
async function readWhole(body: unknown): Promise<Buffer> {
  if (!isStream(body)) throw new Error('its answer cannot be read as a stream')
  const parts: Buffer[] = []
  for await (const part of body) {
    if (!Buffer.isBuffer(part)) throw new Error('its answer cannot be read as bytes')
    parts.push(part)
  }
  const whole = Buffer.concat(parts)
  for (const part of parts) part.fill(0)
  return whole
}

function isAnswer(response: unknown): response is { statusCode: unknown; body: unknown } {
  return typeof response === 'object' && response !== null && 'statusCode' in response && 'body' in response
}

function isStream(body: unknown): body is AsyncIterable<unknown> {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body
}
