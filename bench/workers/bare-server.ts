import { createServer } from 'node:http'
import { z } from 'zod'
import { answerEach, listenAnywhere } from './answer.ts'

/** What `node:http` can do at best: it looks at nothing, and sends the bytes that it was given. */
answerEach(z.object({ contentType: z.string(), body: z.base64() }), async ({ contentType, body }) => {
  const bytes = Buffer.from(body, 'base64')
  const server = createServer((request, response) => {
    request.resume()
    response.sendDate = false
    response.writeHead(200, { 'content-type': contentType, 'content-length': bytes.length })
    response.end(bytes)
  })
  return { port: await listenAnywhere(server) }
})
