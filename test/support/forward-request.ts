import { type IncomingMessage, request } from 'node:http'
import { buffer } from 'node:stream/consumers'

/** For tests: sends a request that came in on to another server as it is, and returns the whole answer. */
export async function forwardRequest(
  target: string,
  { method, url = '/', headers }: IncomingMessage,
  body: Buffer,
): Promise<{ status: number; headers: IncomingMessage['headers']; body: Buffer }> {
  const { hostname, port } = new URL(target)
  const sent = request({ host: hostname, port, method, path: url, headers, agent: false })
  const answered = Promise.withResolvers<IncomingMessage>()
  sent.once('response', answered.resolve)
  sent.once('error', answered.reject)
  sent.end(body)
  const answer = await answered.promise
  return { status: answer.statusCode ?? 502, headers: answer.headers, body: await buffer(answer) }
}
