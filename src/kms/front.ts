import type { Logger } from 'pino'
import { replaceFile } from './durable-file.ts'
import { handleRequest, type Service } from './handle-request.ts'
import type { Site } from './http-exchange.ts'
import { parseListenAddress, requireLoopback } from './listen-address.ts'
import type { Metrics } from './metrics.ts'
import type { KmsServiceOptions, TlsOptions } from './options.ts'
import type { Answer } from './protocol/answer.ts'
import { listen, type RunningServer } from './server.ts'
import type { DataDirectory } from './state/data-directory.ts'
import { identityFromFiles, issuedIdentity, type ServerIdentity } from './tls/server-identity.ts'

/** The listeners of a service: one for clients, and perhaps one for Prometheus. */
export interface Front {
  readonly url: string
  readonly metricsUrl: string | undefined
  close(): Promise<void>
}

/** Throws SR_KMS_LISTEN and SR_KMS_TLS. */
export async function openFront(
  options: KmsServiceOptions,
  service: Service,
  data: DataDirectory,
): Promise<Front> {
  const { log, metrics } = service
  const address = parseListenAddress(options.listen ?? '127.0.0.1:8202')
  const identity = options.tls === undefined ? undefined : await serverIdentity(options.tls, data, log)
  if (identity === undefined && options.allowPlainHttp !== true) requireLoopback(address)
  const health: Site['pages'] = new Map([['/healthz', () => healthPage(service)]])
  const handle: Site['handle'] = (request) => handleRequest(request, service)
  const servers: RunningServer[] = []
  try {
    if (metrics !== undefined && options.metricsListen !== undefined) {
      servers.push(await listenForPrometheus(options.metricsListen, { metrics, health }, log))
    }
    const server = await listen(address, { handle, pages: health, identity }, log)
    servers.unshift(server)
    return { url: server.url, metricsUrl: servers[1]?.url, close: () => closeAll(servers) }
  } catch (error) {
    await closeAll(servers)
    throw error
  }
}

async function serverIdentity(tls: TlsOptions, data: DataDirectory, log: Logger): Promise<ServerIdentity> {
  if ('certificateFile' in tls) return identityFromFiles(tls, log)
  // Its library takes a while to load, and most services don't need it.
  const { CertificateAuthority } = await import('./tls/certificate-authority.ts')
  const authority = await CertificateAuthority.open(data.database, data.rootKey, new Date())
  replaceFile(data.files.authorityCertificate, Buffer.from(authority.certificate), 0o644)
  log.info(
    { certificate: data.files.authorityCertificate },
    'clients have to trust the certificate of the own authority (AWS_CA_BUNDLE)',
  )
  return await issuedIdentity(authority, tls.names, new Date())
}

function listenForPrometheus(
  address: string,
  { metrics, health }: { metrics: Metrics; health: Site['pages'] },
  log: Logger,
): Promise<RunningServer> {
  const pages: Site['pages'] = new Map([...health, ['/metrics', () => metrics.page()]])
  const notFound: Answer = { status: 404, contentType: 'text/plain', body: 'GET /metrics or /healthz\n' }
  return listen(parseListenAddress(address), { pages, handle: () => Promise.resolve(notFound) }, log)
}

/** For load balancers and monitors: 503 while requests fail because they could not be recorded. Anybody may ask, so no paths. */
async function healthPage({ trail }: Service): Promise<Answer> {
  const contentType = 'text/plain'
  try {
    await trail.requireHealthy()
    return { status: 200, contentType, body: 'ok\n' }
  } catch {
    return { status: 503, contentType, body: 'the audit trail cannot be written; the log says why\n' }
  }
}

async function closeAll(servers: readonly RunningServer[]): Promise<void> {
  await Promise.all(servers.map((server) => server.close()))
}
