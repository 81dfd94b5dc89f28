import { type EventEmitter, once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import type { Destination } from './destination.ts'
import { syslogMessage } from './syslog-message.ts'

/** For how long, in milliseconds, a connection has to live on before what was written to it counts as arrived. */
const settling = 500
/** In milliseconds. */
const longestConnect = 5000
const longestWrite = 30_000
const keepAliveDelay = 15_000

interface StreamOptions {
  readonly host: string
  readonly port: number
  readonly tls: { readonly ca: Buffer | undefined } | undefined
}

/**
 * Syslog over TCP (RFC 6587, each message with its length before it) or TLS (RFC 5425). Syslog acknowledges nothing:
 * records count as arrived when they were handed to the network and the connection lives on for half a second. When it
 * breaks before that they are sent again. So a receiver that ends loses nothing, but one whose machine vanishes may.
 */
export function streamDestination({ host, port, tls }: StreamOptions): Destination {
  let socket: Socket | undefined
  const drop = (): void => {
    socket?.destroy()
    socket = undefined
  }
  return {
    name: `syslog:${tls === undefined ? 'tcp' : 'tls'}://${host}:${port}`,
    largestBatch: 4 * 1024 * 1024,
    async send(lines, stopped) {
      // Closed since the last time; that is no failure.
      if (socket?.writable === false) drop()
      const stalled = setTimeout(drop, longestWrite)
      stopped.addEventListener('abort', drop)
      try {
        socket ??= await connected({ host, port, tls })
        await write(socket, lines.map(framed))
        await sleep(settling, undefined, { signal: stopped })
        if (!socket.writable || socket.readableEnded) throw new Error('the connection was closed')
      } catch (error) {
        drop()
        throw error
      } finally {
        clearTimeout(stalled)
        stopped.removeEventListener('abort', drop)
      }
    },
    close: drop,
  }
}

function framed(line: Buffer): Buffer {
  const message = syslogMessage(line)
  return Buffer.concat([Buffer.from(`${message.length} `, 'latin1'), message])
}

async function connected({ host, port, tls }: StreamOptions): Promise<Socket> {
  const socket = tls === undefined ? connectTcp({ host, port }) : connectTls({ host, port, ca: tls.ca })
  socket.setKeepAlive(true, keepAliveDelay)
  try {
    const emitter: EventEmitter = socket
    const ready = tls === undefined ? 'connect' : 'secureConnect'
    await once(emitter, ready, { signal: AbortSignal.timeout(longestConnect) })
  } catch (error) {
    socket.destroy()
    throw error
  }
  // What breaks later shows when the socket is used: it is not writable any more.
  socket.on('error', () => socket.destroy())
  socket.resume()
  return socket
}

function write(socket: Socket, parts: readonly Buffer[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const broken = (): void => {
      reject(new Error('the connection was closed'))
    }
    socket.once('close', broken)
    socket.write(Buffer.concat(parts), (error) => {
      socket.off('close', broken)
      if (error === undefined || error === null) resolve()
      else reject(error)
    })
  })
}
