import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { buffer } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { forwardRequest } from './forward-request.ts'

/** For tests: passes requests of any service on, until one of them, or its answer, is lost and with it the way. */
export interface FailingProxy {
  readonly url: string
  /** How many requests came before the way was lost. */
  readonly passed: () => number
  /** The request after so many others, or its answer, is lost, and everything after it. */
  failAfter(passed: number, lost: 'request' | 'answer'): void
  /** The next answer for an operation is kept for ever; resolves once it is there. */
  keepAnswer(operation: string): Promise<void>
}

export async function startFailingProxy(t: TestContext, target: string): Promise<FailingProxy> {
  let [passed, left] = [0, Infinity]
  let lost: 'request' | 'answer' = 'request'
  let kept: { operation: string; resolve: () => void } | undefined
  const server = createServer((incoming, outgoing) => {
    void pass(incoming)
      .then((answer) => {
        if (answer === undefined) incoming.socket.destroy()
        else outgoing.writeHead(answer.status, answer.headers).end(answer.body)
      })
      .catch(() => incoming.socket.destroy())
  })
  const pass = async (incoming: IncomingMessage) => {
    const body = await buffer(incoming)
    left -= 1
    if (left < -1 || (left === -1 && lost === 'request')) return undefined
    const answer = await forwardRequest(target, incoming, body)
    if (left === -1) return undefined
    const keeping = kept
    if (keeping !== undefined && keeping.operation === operationOf(incoming, body)) {
      kept = undefined
      keeping.resolve()
      await new Promise(() => undefined)
    }
    passed += 1
    return answer
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    passed: () => passed,
    failAfter(after, what) {
      passed = 0
      left = after
      lost = what
    },
    keepAnswer(operation) {
      const { promise, resolve } = Promise.withResolvers<undefined>()
      kept = {
        operation,
        resolve: () => {
          resolve(undefined)
        },
      }
      return promise
    },
  }
}

/** By the header of KMS, or the parameter of IAM and STS. */
function operationOf({ headers }: IncomingMessage, body: Buffer): string | undefined {
  const target = headers['x-amz-target']
  if (typeof target === 'string') return target.split('.').at(-1)
  return new URLSearchParams(body.toString()).get('Action') ?? undefined
}
