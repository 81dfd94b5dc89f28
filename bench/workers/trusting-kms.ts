import { registerHooks } from 'node:module'
import { z } from 'zod'
import { answerEach } from './answer.ts'

/**
 * The KMS service, but whoever names an access key is believed: what the check of a signature costs shows by its
 * absence. There is no such option in the service; here its module is replaced before anything loads it.
 */
registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context)
    const isVerifier = found.url.endsWith('/src/kms/sigv4/verify.ts')
    return isVerifier && !context.parentURL?.endsWith('trusting-verify.ts')
      ? { ...found, url: new URL('trusting-verify.ts', import.meta.url).href }
      : found
  },
})

answerEach(z.object({ dataDirectory: z.string() }), async ({ dataDirectory }) => {
  const { openKmsService } = await import('../../src/kms/service.ts')
  const service = await openKmsService({ dataDirectory, listen: '127.0.0.1:0' })
  return { port: Number(new URL(service.url).port) }
})
