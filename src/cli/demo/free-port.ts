import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { StrongroomError, systemCode } from '../../errors.ts'

/** Below those that Linux gives to connections and to whoever asks for any, who could get ours before it is used. */
const lowest = 16_384
const highest = 32_767
const triesAtMost = 1000

/** A TCP port of 127.0.0.1 that nobody uses at this moment: for what must come back at the same one. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < triesAtMost; tries += 1) {
    const port = randomInt(lowest, highest + 1)
    if (await isFree(port)) return port
  }
  throw new StrongroomError('SR_DEMO_FAILED', `no free port of 127.0.0.1 from ${lowest} to ${highest}`)
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch (error) {
    if (systemCode(error) === 'EADDRINUSE') return false
    throw error
  }
  server.close()
  await once(server, 'close')
  return true
}
