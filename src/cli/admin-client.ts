import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { z } from 'zod'
import { type ErrorCode, errorCodes, messageOf, StrongroomError, systemCode } from '../errors.ts'

const refusal = z.object({ code: z.string(), message: z.string() })

interface AgentRequest {
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** JSON. */
  readonly body?: Buffer
}

/** Asks an agent at its admin socket. Throws what the agent answers, or SR_ADMIN_FAILED where it can't be asked. */
export async function askAgent<T>(
  socket: string,
  { answer, ...asked }: AgentRequest & { readonly answer: z.ZodType<T> },
): Promise<T> {
  const { status, body } = await exchange(socket, asked).catch((cause: unknown) => {
    throw new StrongroomError(
      'SR_ADMIN_FAILED',
      `cannot reach the agent at ${socket} (${systemCode(cause) ?? messageOf(cause)}): see that it runs, that its admin-socket is this one, and that you are its user or root`,
      { cause },
    )
  })
  if (status === 200) return answer.parse(JSON.parse(body))
  const { code, message } = refusal.parse(JSON.parse(body))
  throw new StrongroomError(isErrorCode(code) ? code : 'SR_ADMIN_FAILED', message)
}

async function exchange(
  socketPath: string,
  { method, path, body }: AgentRequest,
): Promise<{ status: number | undefined; body: string }> {
  return await new Promise((resolve, reject) => {
    request({ socketPath, method, path, agent: false }, (response) => {
      text(response).then((answered) => {
        resolve({ status: response.statusCode, body: answered })
      }, reject)
    })
      .once('error', reject)
      .end(body)
  })
}

/** Of ours; an agent of another release may have others. */
export function isErrorCode(code: string): code is ErrorCode {
  return code in errorCodes
}
