import { once } from 'node:events'
import { type IncomingMessage, request as httpRequest } from 'node:http'
import { z } from 'zod'
import { type ErrorCode, errorCodes, StrongroomError, systemCode } from '../../errors.ts'
import { systemReason } from '../system-reason.ts'
import type { AdminPath } from './handlers.ts'
import { socketAddress, socketPath } from './socket-path.ts'

/**
 * Asks the service that runs on a data directory, at its admin socket. For a command that works both with and without a
 * running service:
 *
 *     const answer = await askRunningService(directory, '/simulate', { … })
 *     if (answer === undefined) // no service runs: open the directory ourselves
 *
 * Resolves to the answer's `body`, which the caller checks, or to undefined when no service runs. Throws the
 * StrongroomError that the handler threw, or SR_KMS_ADMIN when the socket can't be used.
 */
export async function askRunningService(
  directory: string,
  path: AdminPath,
  body: unknown = {},
): Promise<{ readonly body: unknown } | undefined> {
  const answered = await exchange(directory, path, JSON.stringify(body))
  if (answered === undefined) return undefined
  const answer = parse(answered.text, directory)
  if (answered.status !== 200) throw failed(answer, directory)
  return { body: answer }
}

interface Answered {
  readonly status: number
  readonly text: string
}

async function exchange(directory: string, path: AdminPath, body: string): Promise<Answered | undefined> {
  try {
    const address = socketAddress(directory)
    try {
      const sent = httpRequest({ socketPath: address.path, method: 'POST', path, agent: false })
      sent.end(body)
      const answered: readonly unknown[] = await once(sent, 'response')
      return await readAnswer(answered[0])
    } finally {
      address.release()
    }
  } catch (error) {
    // No socket, or one that a service left behind when it was killed.
    const code = systemCode(error)
    if (code === 'ENOENT' || code === 'ECONNREFUSED') return undefined
    throw unusable(directory, systemReason(error), error)
  }
}

async function readAnswer(response: unknown): Promise<Answered> {
  if (!isIncoming(response)) throw new Error('no answer')
  let text = ''
  response.setEncoding('utf8')
  for await (const part of response) text += String(part)
  return { status: response.statusCode ?? 0, text }
}

function isIncoming(value: unknown): value is IncomingMessage {
  return typeof value === 'object' && value !== null && 'statusCode' in value
}

function parse(text: string, directory: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw unusable(directory, 'its answer is no JSON', error)
  }
}

const failureShape = z.object({ code: z.string(), message: z.string() })

function failed(answer: unknown, directory: string): StrongroomError {
  const { success, data } = failureShape.safeParse(answer)
  if (!success || !isErrorCode(data.code))
    return unusable(directory, 'its answer is not understood', undefined)
  return new StrongroomError(data.code, data.message)
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCodes, code)
}

function unusable(directory: string, reason: string, cause: unknown): StrongroomError {
  return new StrongroomError(
    'SR_KMS_ADMIN',
    `cannot ask the KMS service at ${socketPath(directory)} (${reason}): ask as the service's user, ` +
      'with the same release of Strongroom',
    { cause },
  )
}
