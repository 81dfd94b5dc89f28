import { repeatedName } from '../repeated-name.ts'
import type { Answer } from './answer.ts'
import { AwsException, inJson } from './exceptions.ts'

/*
 * AWS JSON 1.1: POST / with `X-Amz-Target: TrentService.Decrypt` and a JSON object; blobs are base64, times are seconds
 * since 1970. https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
 */

const contentType = 'application/x-amz-json-1.1'

/** The members of the request; throws SerializationException when the body is not one JSON object, or an ambiguous one. */
export function readJsonMembers(body: Buffer): Record<string, unknown> {
  if (body.length === 0) return {}
  const value = parse(body)
  if (!isRecord(value)) throw new AwsException('SerializationException', 'the request is not a JSON object')
  return value
}

/** An operation without output answers with an empty body. */
export function jsonAnswer(output: object | undefined): Answer {
  return { status: 200, contentType, body: output === undefined ? '' : JSON.stringify(output) }
}

export function jsonError(exception: AwsException): Answer {
  const { code, status } = inJson(exception.exceptionName)
  // As Amazon: no message member where there is no message.
  const message = exception.message === '' ? {} : { message: exception.message }
  return { status, contentType, body: JSON.stringify({ __type: code, ...message }) }
}

/** Times in answers: seconds since 1970 with a fraction. */
export function epochSeconds(time: Date): number {
  return time.getTime() / 1000
}

/** Far more than any operation takes: an encryption context of 8 KiB has room for some 4,000 pairs. */
const maxValues = 10_000

function parse(body: Buffer): unknown {
  requireFewValues(body)
  const { text, value } = parseText(body)
  if (repeatedName(text) !== undefined) {
    throw new AwsException('SerializationException', 'the request has two members of one name in one place')
  }
  return value
}

const quotationMark = 0x22
const backslash = 0x5c
/* `,`, `[` and `{` */
const [comma, bracket, brace] = [0x2c, 0x5b, 0x7b]

/** A parser takes long for very many values, or very deep ones. Counts what begins a value, outside of texts. */
function requireFewValues(body: Buffer): void {
  let values = 0
  let isText = false
  for (let at = 0; at < body.length; at++) {
    const character = body[at]
    if (character === quotationMark) isText = !isText
    else if (isText && character === backslash) at++
    else if (!isText && (character === comma || character === bracket || character === brace)) values++
    if (values > maxValues) {
      throw new AwsException('SerializationException', `the request has more than ${maxValues} values`)
    }
  }
}

function parseText(body: Buffer): { text: string; value: unknown } {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body)
    return { text, value: JSON.parse(text) }
  } catch {
    // The parser's own message quotes the body, in which there may be a plaintext.
    throw new AwsException('SerializationException', 'the request is not well-formed JSON')
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
