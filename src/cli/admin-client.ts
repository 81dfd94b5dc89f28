import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { z } from 'zod'
import { errorCodes, messageOf, StrongroomError, systemCode } from '../errors.ts'

const refusal = z.object({ code: z.string(), message: z.string() })

/** Asks an agent at its admin socket. Throws what the agent answers, or SR_ADMIN_FAILED where it can't be asked. */
export async function askAgent<T>(
  socket: string,
  { method, path, answer }: { method: 'GET' | 'POST'; path: string; answer: z.ZodType<T> },
): Promise<T> {
  const { status, body } = await exchange(socket, method, path).catch((cause: unknown) => {
    throw new StrongroomError(
      'SR_ADMIN_FAILED',
      `cannot reach the agent at ${socket} (${systemCode(cause) ?? messageOf(cause)}): see that it runs, that its admin-socket is this one, and that you are its user or root`,
      { cause },
    )
  })
  if (status === 200) return answer.parse(JSON.parse(body))
  const { code, message } = refusal.parse(JSON.parse(body))
  throw new StrongroomError(isCode(code) ? code : 'SR_ADMIN_FAILED', message)
}

async function exchange(
  socketPath: string,
  method: string,
  path: string,
): Promise<{ status: number | undefined; body: string }> {
  return await new Promise((resolve, reject) => {
    request({ socketPath, method, path, agent: false }, (response) => {
      text(response).then((body) => {
        resolve({ status: response.statusCode, body })
      }, reject)
    })
      .once('error', reject)
      .end()
  })
}

function isCode(code: string): code is keyof typeof errorCodes {
  return code in errorCodes
}
