import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import { z } from 'zod'
import { stubPlaintextLength } from '../stored-keys.ts'
import { answerEach, listenAnywhere } from './answer.ts'

/**
 * A benchmark's stand-in for a KMS, and no KMS: the "ciphertext" ends with the plaintext, and no signature is looked at.
 * It answers Decrypt as AWS does, any number side by side, each after the same time. So what is measured is the agent.
 */
const decrypt = z.object({ CiphertextBlob: z.string(), KeyId: z.string() })

answerEach(z.object({ latency: z.number() }), async ({ latency }) => {
  const server = createServer((request, response) => {
    void answer(request, response, latency)
  })
  return { port: await listenAnywhere(server) }
})

async function answer(request: IncomingMessage, response: ServerResponse, latency: number): Promise<void> {
  const { CiphertextBlob, KeyId } = decrypt.parse(JSON.parse((await buffer(request)).toString()))
  if (latency > 0) await setTimeout(latency)
  const plaintext = Buffer.from(CiphertextBlob, 'base64').subarray(-stubPlaintextLength)
  const body = JSON.stringify({
    KeyId,
    Plaintext: plaintext.toString('base64'),
    EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
  })
  response.writeHead(200, {
    'content-type': 'application/x-amz-json-1.1',
    'content-length': Buffer.byteLength(body),
    'x-amzn-requestid': '00000000-0000-4000-8000-000000000000',
  })
  response.end(body)
}
