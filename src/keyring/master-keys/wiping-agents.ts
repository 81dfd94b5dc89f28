import { Agent as HttpAgent, type ClientRequestArgs } from 'node:http'
import { Agent as HttpsAgent, type RequestOptions } from 'node:https'
import type { Duplex } from 'node:stream'

type Connected = (error: Error | null, stream: Duplex) => void

/**
 * HTTP agents whose connections zero what came in once it has been read: an answer of Decrypt holds a key (rule K6).
 * Node.js's parser copies a body out of what the socket delivers, within the same event.
 */
export function wipingAgents(options: { keepAlive: boolean; maxSockets: number }): {
  httpAgent: HttpAgent
  httpsAgent: HttpsAgent
} {
  return { httpAgent: new WipingHttpAgent(options), httpsAgent: new WipingHttpsAgent(options) }
}

class WipingHttpAgent extends HttpAgent {
  override createConnection(options: ClientRequestArgs, connected?: Connected): Duplex | null | undefined {
    return wipingWhatIsRead(super.createConnection(options, connected))
  }
}

class WipingHttpsAgent extends HttpsAgent {
  override createConnection(options: RequestOptions, connected?: Connected): Duplex | null | undefined {
    return wipingWhatIsRead(super.createConnection(options, connected))
  }
}

function wipingWhatIsRead(socket: Duplex | null | undefined): Duplex | null | undefined {
  return socket?.on('data', (data: Buffer) => {
    process.nextTick(() => data.fill(0))
  })
}
