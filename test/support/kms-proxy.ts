import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { forwardRequest } from './forward-request.ts'

/** A request, or the answer to one, that is kept in the middle of its way. */
export interface Held {
  /** Resolves when it has come as far as that. */
  readonly arrived: Promise<void>
  /** Lets it go on; a request is sent on also where its sender has gone. */
  release(): void
  /** Ends its sender's connection instead. */
  drop(): void
}

/** What is answered in the place of the KMS: the name of an exception. */
export type Answering = (operation: string) => string | undefined

/** For tests: what lies between a caller and a KMS, where things are slow, late and lost. Signatures stay valid. */
export interface KmsProxy {
  readonly url: string
  /** The operations that were asked for, in order. */
  readonly operations: readonly string[]
  /** Holds the next request for an operation, or its answer; or the one after so many others. */
  hold(operation: string, what: 'request' | 'answer', after?: number): Held
  answerBy(answering: Answering): void
  /** Nothing gets through until `restore`. */
  cut(): void
  restore(): void
}

interface Hold extends Held {
  readonly operation: string
  readonly what: 'request' | 'answer'
  readonly take: () => Promise<boolean>
  left: number
}

export async function startKmsProxy(t: TestContext, target: string): Promise<KmsProxy> {
  const operations: string[] = []
  const holds: Hold[] = []
  const sockets = new Set<Socket>()
  let answering: Answering = () => undefined
  let isCut = false
  /** False: the connection is to end. */
  const pass = async (operation: string, what: 'request' | 'answer'): Promise<boolean> => {
    const matching = holds.filter((hold) => hold.operation === operation && hold.what === what)
    for (const hold of matching) hold.left -= 1
    const due = matching.find(({ left }) => left < 0)
    if (due === undefined) return true
    holds.splice(holds.indexOf(due), 1)
    return await due.take()
  }
  const handle = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const operation = String(incoming.headers['x-amz-target']).split('.').at(-1) ?? ''
    const body = await buffer(incoming)
    operations.push(operation)
    const exception = answering(operation)
    if (exception !== undefined) {
      outgoing.writeHead(exception.includes('Internal') ? 500 : 400, {
        'content-type': 'application/x-amz-json-1.1',
      })
      outgoing.end(JSON.stringify({ __type: exception, message: 'as the test wants it' }))
      return
    }
    if (!(await pass(operation, 'request'))) throw new Error('dropped')
    const answer = await forwardRequest(target, incoming, body)
    if (!(await pass(operation, 'answer')) || isCut) throw new Error('dropped')
    outgoing.writeHead(answer.status, answer.headers).end(answer.body)
  }
  const server = createServer((incoming, outgoing) => {
    handle(incoming, outgoing).catch(() => incoming.socket.destroy())
  })
  server.on('connection', (socket) => {
    if (isCut) socket.destroy()
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  const destroyAll = () => {
    for (const socket of sockets) socket.destroy()
  }
  t.after(() => {
    for (const hold of holds) hold.drop()
    server.close()
    destroyAll()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    operations,
    hold(operation, what, after = 0) {
      const hold = newHold(operation, what, after)
      holds.push(hold)
      return hold
    },
    answerBy(how) {
      answering = how
    },
    cut() {
      isCut = true
      destroyAll()
    },
    restore() {
      isCut = false
    },
  }
}

function newHold(operation: string, what: 'request' | 'answer', left: number): Hold {
  const arrived = Promise.withResolvers<undefined>()
  const released = Promise.withResolvers<boolean>()
  return {
    operation,
    what,
    left,
    arrived: arrived.promise,
    take: async () => {
      arrived.resolve(undefined)
      return await released.promise
    },
    release: () => {
      released.resolve(true)
    },
    drop: () => {
      released.resolve(false)
    },
  }
}
