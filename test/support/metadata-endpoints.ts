import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { TestContext } from 'node:test'
import type { Credentials } from './kms-service.ts'

/** Makes the credentials that an endpoint gives out, new ones each time. */
export type Issue = () => Promise<Credentials>

export interface MetadataEndpoint {
  readonly url: string
  /** Where credentials are had, below the URL. */
  readonly path: string
}

/** So soon that whoever uses them has to ask again each time. */
const secondsLeft = 120

const ordinaryPath = '/v2/credentials/mariadb'

/** As in a container of Amazon's: https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html */
export async function startContainerMetadata(
  t: TestContext,
  authorization: () => string,
  issue: Issue,
): Promise<MetadataEndpoint> {
  const url = await serve(t, (request, response) => {
    if (request.url !== ordinaryPath) return response.writeHead(404).end()
    if (request.headers.authorization !== authorization()) return response.writeHead(401).end()
    return void issue().then((issued) => response.end(JSON.stringify(wireForm(issued))))
  })
  return { url, path: ordinaryPath }
}

/**
 * As on an instance of Amazon's that only allows version 2:
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html
 */
export async function startInstanceMetadata(t: TestContext, issue: Issue): Promise<MetadataEndpoint> {
  const tokens = new Set<string>()
  const path = '/latest/meta-data/iam/security-credentials/'
  const url = await serve(t, (request, response) => {
    if (request.method === 'PUT' && request.url === '/latest/api/token') {
      const lifetime = request.headers['x-aws-ec2-metadata-token-ttl-seconds']
      if (lifetime === undefined) return response.writeHead(400).end()
      const token = randomBytes(20).toString('base64')
      tokens.add(token)
      return response.setHeader('x-aws-ec2-metadata-token-ttl-seconds', lifetime).end(token)
    }
    if (!tokens.has(String(request.headers['x-aws-ec2-metadata-token']))) return response.writeHead(401).end()
    if (request.url === path) return response.end('mariadb-host')
    if (request.url !== `${path}mariadb-host`) return response.writeHead(404).end()
    return void issue().then((issued) =>
      response.end(JSON.stringify({ Code: 'Success', Type: 'AWS-HMAC', ...wireForm(issued) })),
    )
  })
  return { url, path }
}

function wireForm(issued: Credentials): Record<string, unknown> {
  return {
    AccessKeyId: issued.accessKeyId,
    SecretAccessKey: issued.secretAccessKey,
    Token: issued.sessionToken,
    Expiration: new Date(Date.now() + secondsLeft * 1000).toISOString(),
    LastUpdated: new Date().toISOString(),
  }
}

async function serve(t: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(async () => {
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the endpoint has no port')
  return `http://127.0.0.1:${address.port}`
}
