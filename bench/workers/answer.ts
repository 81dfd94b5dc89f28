import { once } from 'node:events'
import type { Server } from 'node:http'
import type { z } from 'zod'

/** The worker's side of `Worker`: one answer to each message. The end of the one who asks is its end, too. */
export function answerEach<T>(question: z.ZodType<T>, answer: (question: T) => Promise<object>): void {
  process.on('message', (message) => {
    void answer(question.parse(message)).then((value) => process.send?.(value))
  })
  process.once('disconnect', () => process.exit())
}

/** The port of 127.0.0.1 that a server has found free. */
export async function listenAnywhere(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the server has no address')
  return address.port
}
