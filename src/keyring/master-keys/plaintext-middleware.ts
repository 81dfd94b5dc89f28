import type { DecryptCommand } from '@aws-sdk/client-kms'
import { StrongroomError } from '../../errors.ts'
import { secretBuffer } from '../data-key.ts'
import { hasBody, wholeBody } from './whole-answer.ts'

type Stack = DecryptCommand['middlewareStack']

/** As AWS writes it (JSON 1.1, `Plaintext` in base64), with nothing escaped. */
const member = Buffer.from('"Plaintext":"')
const quote = 0x22

/**
 * Takes the plaintext out of Decrypt's answer before the SDK sees it: the SDK would make strings of it, which stay in
 * memory until somebody overwrites them by chance (rule K6). It is decoded from bytes to bytes, the bytes that came are
 * zeroed, and the SDK reads an answer whose plaintext is empty. Resolves the receiver given for the call.
 */
export function takePlaintext(stack: Stack, receive: (plaintext: Buffer) => void): void {
  stack.add(
    (next) => async (args) => {
      const result = await next(args)
      const { response } = result
      if (hasBody(response) && response.statusCode === 200) {
        const body = await wholeBody(response)
        receive(cutPlaintext(body))
        response.body = body
      }
      return result
    },
    // Nearest to the wire: before the SDK's own deserialiser.
    { step: 'deserialize', priority: 'low', name: 'takePlaintext' },
  )
}

/** Decodes the plaintext of an answer and blanks it there. Throws SR_KMS_FAILED where there is none. */
export function cutPlaintext(body: Buffer): Buffer {
  const at = body.indexOf(member)
  const begin = at + member.length
  const end = at < 0 ? -1 : body.indexOf(quote, begin)
  if (end < 0) throw new StrongroomError('SR_KMS_FAILED', "the KMS's answer to Decrypt holds no plaintext")
  const digits = body.subarray(begin, end)
  const plaintext = decodeBase64(digits)
  // An empty string, and spaces that JSON skips, in the place of the digits.
  digits.fill(0x20)
  body.writeUInt8(quote, begin)
  if (end > begin) body.writeUInt8(0x20, end)
  return plaintext
}

const digitsInOrder = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/')
const values = new Map(Array.from(digitsInOrder, (digit, value) => [digit, value]))
const padding = '='.charCodeAt(0)

/** RFC 4648, section 4. Node.js decodes base64 from strings alone. */
function decodeBase64(digits: Buffer): Buffer {
  let length = digits.length
  while (length > 0 && digits[length - 1] === padding) length -= 1
  const plaintext = secretBuffer(Math.floor((length * 3) / 4))
  let bits = 0
  let value = 0
  let end = 0
  for (const digit of digits.subarray(0, length)) {
    const next = values.get(digit)
    if (next === undefined)
      throw new StrongroomError('SR_KMS_FAILED', "the KMS's answer to Decrypt is no base64")
    value = ((value << 6) | next) & 0xffff
    bits += 6
    if (bits >= 8) {
      bits -= 8
      end = plaintext.writeUInt8((value >> bits) & 0xff, end)
    }
  }
  return plaintext
}
