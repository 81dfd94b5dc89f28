import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls'

let made: SecureContext | undefined

/** The authorities that Node.js brings or was told of (`NODE_EXTRA_CA_CERTS`), and those of the system; read once. */
export function trustedContext(): SecureContext {
  made ??= createSecureContext({
    ca: [...new Set([...getCACertificates('default'), ...getCACertificates('system')])],
    minVersion: 'TLSv1.2',
  })
  return made
}
