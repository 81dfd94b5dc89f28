import { createSocket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { z } from 'zod'
import type { Destination } from './destination.ts'
import { syslogMessage } from './syslog-message.ts'

/** What a datagram carries over IPv4. https://www.rfc-editor.org/rfc/rfc5426#section-3.2 */
const largestMessage = 65_507

const essential = z.object({
  eventTime: z.string(),
  eventName: z.string(),
  eventID: z.string(),
  chain: z.unknown(),
})

/**
 * Syslog over UDP (RFC 5426). A record counts as arrived when it was sent: what the network or the receiver drops is
 * lost there (the trail has it). A record that is too large for a datagram goes without its parameters.
 */
export function udpDestination(host: string, port: number): Destination {
  return {
    name: `syslog:udp://${host}:${port}`,
    largestBatch: 256 * 1024,
    async send(lines) {
      const { address, family } = await lookup(host)
      const socket = createSocket(family === 6 ? 'udp6' : 'udp4')
      try {
        for (const line of lines) {
          await new Promise<void>((resolve, reject) => {
            socket.send(datagram(line), port, address, (error) => {
              if (error === null) resolve()
              else reject(error)
            })
          })
        }
      } finally {
        socket.close()
      }
    },
    close: () => undefined,
  }
}

function datagram(line: Buffer): Buffer {
  const message = syslogMessage(line)
  if (message.length <= largestMessage) return message
  const { eventTime, eventName, eventID, chain } = essential.parse(JSON.parse(line.toString()))
  const rest = { eventTime, eventName, eventID, omitted: 'the record is too large for a datagram', chain }
  return syslogMessage(Buffer.from(JSON.stringify(rest), 'utf8'))
}
