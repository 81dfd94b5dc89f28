import { openKmsService } from '../../src/kms/service.ts'
import { z } from 'zod'
import { answerEach } from './answer.ts'

/** The KMS service as it is, from the checkout: what trusting-kms.ts is held against. */
answerEach(z.object({ dataDirectory: z.string() }), async ({ dataDirectory }) => {
  const service = await openKmsService({ dataDirectory, listen: '127.0.0.1:0' })
  return { port: Number(new URL(service.url).port) }
})
