import type { KMSClient } from '@aws-sdk/client-kms'
import { StrongroomError } from '../../errors.ts'
import { secretBuffer } from '../data-key.ts'

/** KMS's own have less than a hundredth of that. */
const largestAnswer = 1_048_576

/** Reads each answer before the SDK does, which would take in whatever comes until the time is up. */
export function boundAnswers(stack: KMSClient['middlewareStack']): void {
  stack.add(
    (next) => async (args) => {
      const result = await next(args)
      const { response } = result
      if (hasBody(response)) response.body = await wholeBody(response)
      return result
    },
    { step: 'deserialize', priority: 'low', name: 'boundAnswers' },
  )
}

/** Throws SR_KMS_FAILED for more than an answer has. */
export async function wholeBody({ body }: { readonly body: unknown }): Promise<Buffer> {
  return Buffer.isBuffer(body) ? body : await readWhole(body)
}

export function hasBody(response: unknown): response is { statusCode: unknown; body: unknown } {
  return typeof response === 'object' && response !== null && 'statusCode' in response && 'body' in response
}

/** The parts are zeroed once they are put together: they may hold a key (rule K6). */
async function readWhole(body: unknown): Promise<Buffer> {
  if (!isStream(body)) throw new StrongroomError('SR_KMS_FAILED', "the KMS's answer is not read as a stream")
  const parts: Buffer[] = []
  let length = 0
  for await (const part of body) {
    if (!Buffer.isBuffer(part))
      throw new StrongroomError('SR_KMS_FAILED', "the KMS's answer is not read as bytes")
    parts.push(part)
    length += part.length
    if (length > largestAnswer) {
      throw new StrongroomError('SR_KMS_FAILED', `the KMS's answer has more than ${largestAnswer} bytes`)
    }
  }
  const whole = secretBuffer(length)
  let end = 0
  for (const part of parts) {
    end += part.copy(whole, end)
    part.fill(0)
  }
  return whole
}

function isStream(body: unknown): body is AsyncIterable<unknown> {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body
}
