import { type IncomingMessage, request } from 'node:http'
import { z } from 'zod'
import { type ErrorCode, errorCodes, messageOf, StrongroomError, systemCode } from '../errors.ts'

const refusal = z.object({ code: z.string(), message: z.string() })

/** Milliseconds: the agent may have thousands of keys unwrapped before, or wait for a KMS that does not answer. */
const longestPatience = 120_000
/** Bytes: a hundred thousand keys fit in. */
const longestAnswer = 64 * 1024 * 1024

interface AgentRequest {
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** JSON. */
  readonly body?: Buffer
  /** Milliseconds until the whole answer must be there (default: two minutes). */
  readonly patience?: number
}

/** Asks an agent at its admin socket. Throws what the agent answers, or SR_ADMIN_FAILED where it can't be asked or is not understood. */
export async function askAgent<T>(
  socket: string,
  { answer, patience = longestPatience, ...asked }: AgentRequest & { readonly answer: z.ZodType<T> },
): Promise<T> {
  const { status, body } = await exchange(socket, asked, AbortSignal.timeout(patience)).catch(
    (cause: unknown) => {
      const why = isTimeout(cause) ? `no answer within ${patience / 1000} s` : systemCode(cause)
      throw new StrongroomError(
        'SR_ADMIN_FAILED',
        `cannot reach the agent at ${socket} (${why ?? messageOf(cause)}): see that it runs, that its admin-socket is this one, and that you are its user or root`,
        { cause },
      )
    },
  )
  if (status === 200) return understood(socket, answer, body)
  const { code, message } = understood(socket, refusal, body)
  throw new StrongroomError(isErrorCode(code) ? code : 'SR_ADMIN_FAILED', message)
}

async function exchange(
  socketPath: string,
  { method, path, body }: AgentRequest,
  signal: AbortSignal,
): Promise<{ status: number | undefined; body: string }> {
  return await new Promise((resolve, reject) => {
    request({ socketPath, method, path, agent: false, signal }, (response) => {
      textOf(response).then((answered) => {
        resolve({ status: response.statusCode, body: answered })
      }, reject)
    })
      .once('error', reject)
      .end(body)
  })
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = ''
  for await (const part of response.setEncoding('utf8')) {
    text += String(part)
    if (text.length > longestAnswer) throw new Error('its answer is endless')
  }
  return text
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError'
}

/** What came may be anything: it is not quoted. */
function understood<T>(socket: string, shape: z.ZodType<T>, body: string): T {
  const { success, data } = shape.safeParse(parsed(body))
  if (success) return data
  throw new StrongroomError(
    'SR_ADMIN_FAILED',
    `what answers at ${socket} is not understood: see that it is an agent, of the same release as this command`,
  )
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

/** Of ours; an agent of another release may have others. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCodes, code)
}
