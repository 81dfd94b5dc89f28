import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { Destination } from './destination.ts'

/** In milliseconds. */
const longestAnswer = 10_000

interface HttpOptions {
  readonly ca: Buffer | undefined
  readonly tokenFile: string | undefined
}

/**
 * POST of some records, one JSON text a line, as they are in the trail; an answer of 2xx says that they have arrived,
 * whatever else it says they are sent again.
 */
export function httpDestination(url: URL, { ca, tokenFile }: HttpOptions): Destination {
  const isSecure = url.protocol === 'https:'
  const agent = isSecure ? new HttpsAgent({ keepAlive: true, ca }) : new HttpAgent({ keepAlive: true })
  return {
    name: `${url.origin}${url.pathname}`,
    largestBatch: 1024 * 1024,
    async send(lines, stopped) {
      const body = Buffer.concat(lines.flatMap((line) => [line, lineEnd]))
      const request = (isSecure ? httpsRequest : httpRequest)(url, {
        method: 'POST',
        agent,
        headers: {
          'content-type': 'application/x-ndjson',
          'content-length': body.length,
          ...(tokenFile === undefined ? {} : { authorization: `Bearer ${readToken(tokenFile)}` }),
        },
      })
      const stop = (): void => {
        request.destroy(new Error('stopped'))
      }
      const late = setTimeout(() => {
        request.destroy(new Error(`there was no answer in ${longestAnswer / 1000} seconds`))
      }, longestAnswer)
      stopped.addEventListener('abort', stop)
      try {
        request.end(body)
        const answered: readonly unknown[] = await once(request, 'response')
        const status = await statusOf(answered[0])
        if (status < 200 || status > 299) throw new Error(`the answer was ${status}`)
      } finally {
        clearTimeout(late)
        stopped.removeEventListener('abort', stop)
      }
    },
    close() {
      agent.destroy()
    },
  }
}

const lineEnd = Buffer.from('\n')

function readToken(path: string): string {
  return readFileSync(path, 'utf8').trim()
}

/** The answer is read to its end, so that the connection can be used again. */
async function statusOf(response: unknown): Promise<number> {
  if (!isIncoming(response)) throw new Error('there was no answer')
  response.resume()
  await once(response, 'end')
  return response.statusCode ?? 0
}

function isIncoming(value: unknown): value is IncomingMessage {
  return typeof value === 'object' && value !== null && 'statusCode' in value
}
