import { connect, type Socket } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { z } from 'zod'
import { percentile } from '../statistics.ts'
import { answerEach } from './answer.ts'

/**
 * Sends requests that were signed before, over connections that stay open: as fast as they are answered, or `rate` of
 * them a second. A latency counts from the moment at which a request was due: one that has to wait for a connection is late.
 */
const question = z.object({
  port: z.number(),
  /** In base64. */
  requests: z.array(z.string()).min(1),
  count: z.number(),
  concurrency: z.number(),
  rate: z.number().optional(),
})

const endsWithin = 120_000

answerEach(question, async ({ port, requests, count, concurrency, rate }) => {
  const bytes = requests.map((request) => Buffer.from(request, 'base64'))
  const latencies: number[] = []
  let asked = 0
  const started = performance.now()
  const client = async (): Promise<void> => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    for (let turn = asked++; turn < count; turn = asked++) {
      const due = rate === undefined ? performance.now() : started + (1000 * turn) / rate
      const early = due - performance.now()
      // Timers are of whole milliseconds: what is due within the next one is sent.
      if (early > 1) await setTimeout(early)
      if (due - started > endsWithin) throw new Error(`${count} requests took over ${endsWithin} ms`)
      await exchange(socket, bytes[turn % bytes.length] ?? Buffer.alloc(0))
      latencies.push(Math.max(0, performance.now() - due))
    }
    socket.destroy()
  }
  await Promise.all(Array.from({ length: concurrency }, client))
  const seconds = (performance.now() - started) / 1000
  return { rate: count / seconds, p50: percentile(latencies, 50), p99: percentile(latencies, 99) }
})

/** Resolves once the whole answer is there; an answer other than 200 ends the measurement. */
function exchange(socket: Socket, request: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const onData = (chunk: Buffer): void => {
      answer += chunk.toString('latin1')
      const end = answer.indexOf('\r\n\r\n')
      if (end < 0 || answer.length < end + 4 + Number(/content-length: (\d+)/i.exec(answer)?.[1])) return
      socket.off('data', onData).off('close', onClose)
      if (answer.startsWith('HTTP/1.1 200 ')) resolve()
      else reject(new Error(`not 200: ${answer}`))
    }
    const onClose = (): void => {
      reject(new Error('the server has closed the connection'))
    }
    socket.on('data', onData).once('close', onClose)
    socket.write(request)
  })
}
