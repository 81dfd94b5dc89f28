import { connect, type Socket } from 'node:net'
import { z } from 'zod'
import { percentile } from '../statistics.ts'
import { answerEach } from './answer.ts'

/**
 * Asks a server for keys as fast as it answers, `concurrency` requests at a time. It speaks HTTP on bare sockets: so it
 * costs less than the server that it measures. The requests are those of MariaDB's plugin (libcurl).
 */
const question = z.object({
  port: z.number(),
  paths: z.array(z.string()).min(1),
  token: z.string(),
  count: z.number(),
  concurrency: z.number(),
  keepAlive: z.boolean(),
})

const endsWithin = 30_000
let measurements = 0

answerEach(question, async ({ port, paths, token, count, concurrency, keepAlive }) => {
  // Closed connections keep their ports for a minute. Once they are used up the search for one is what is measured, so each
  // measurement comes from an address of its own.
  const localAddress = `127.${1 + ((process.pid >> 8) % 250)}.${process.pid % 256}.${1 + (++measurements % 250)}`
  const requests = paths.map((path) => requestFor(path, port, token))
  const latencies: number[] = []
  let asked = 0
  const started = performance.now()
  const client = async () => {
    let socket: Socket | undefined
    for (let turn = asked++; turn < count; turn = asked++) {
      const began = performance.now()
      if (began - started > endsWithin) throw new Error(`${count} requests took over ${endsWithin} ms`)
      socket ??= connect({ port, host: '127.0.0.1', localAddress, noDelay: true })
      await exchange(socket, requests[turn % requests.length] ?? '')
      latencies.push(performance.now() - began)
      if (keepAlive) continue
      socket.destroy()
      socket = undefined
    }
    socket?.destroy()
  }
  await Promise.all(Array.from({ length: concurrency }, client))
  const seconds = (performance.now() - started) / 1000
  return { rate: count / seconds, p50: percentile(latencies, 50), p99: percentile(latencies, 99) }
})

function requestFor(path: string, port: number, token: string): string {
  const headers = [`Host: 127.0.0.1:${port}`, 'Accept: */*', `X-Vault-Token: ${token}`]
  return [`GET ${path} HTTP/1.1`, ...headers, '', ''].join('\r\n')
}

/** Resolves once the whole answer is there; an answer other than 200 ends the measurement. */
async function exchange(socket: Socket, request: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let answer = ''
    const failed = (error?: Error) => {
      reject(error ?? new Error('the server has closed the connection'))
    }
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1')
      const end = answer.indexOf('\r\n\r\n')
      if (end < 0) return
      const length = Number(/content-length: (\d+)/i.exec(answer)?.[1])
      if (answer.length < end + 4 + length) return
      socket.removeAllListeners('data').removeAllListeners('error').removeAllListeners('close')
      if (answer.startsWith('HTTP/1.1 200 ')) resolve()
      else reject(new Error(`not 200: ${answer.slice(0, end)}`))
    })
    socket.once('error', failed).once('close', () => {
      failed()
    })
    socket.write(request)
  })
}
