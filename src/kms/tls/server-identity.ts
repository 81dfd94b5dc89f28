import { readFileSync, statSync } from 'node:fs'
import type { Logger } from 'pino'
import { createSecureContext } from 'node:tls'
import { StrongroomError } from '../../errors.ts'
import { systemReason } from '../system-reason.ts'
import type { CertificateAuthority } from './certificate-authority.ts'

/** The certificate that the server shows, which changes while it runs. */
export interface ServerIdentity {
  /** PEM texts, as they are now. */
  current(): CertificateAndKey
  /** Reads files again, or has a new certificate issued when the present one is old; resolves to whether it changed. */
  renew(now: Date): Promise<boolean>
}

export interface CertificateAndKey {
  readonly cert: string
  readonly key: string
}

/** How long before its end a certificate is replaced, in milliseconds: 30 days. */
const renewalMargin = 30 * 24 * 60 * 60 * 1000

/** Certificates of the service's own authority, for these host names and addresses. */
export async function issuedIdentity(
  authority: CertificateAuthority,
  names: readonly string[],
  now: Date,
): Promise<ServerIdentity> {
  let issued = await authority.issue(names, now)
  return {
    current: () => ({ cert: issued.certificate, key: issued.privateKey }),
    async renew(at) {
      if (issued.notAfter.getTime() - at.getTime() > renewalMargin) return false
      issued = await authority.issue(names, at)
      return true
    },
  }
}

/**
 * Certificate and key in PEM files, read again when they change. Throws SR_KMS_TLS when they can't be used; a change
 * that can't be used is logged, and the ones before it stay.
 */
export function identityFromFiles(
  files: { certificateFile: string; keyFile: string },
  log: Logger,
): ServerIdentity {
  let read = readFiles(files)
  let version = versionOf(files)
  return {
    current: () => read,
    renew() {
      const found = versionOf(files)
      if (found === version) return Promise.resolve(false)
      try {
        read = readFiles(files)
        version = found
        return Promise.resolve(true)
      } catch (error) {
        log.error(
          { err: error },
          'the certificate files changed and cannot be used: the old certificate stays',
        )
        return Promise.resolve(false)
      }
    },
  }
}

function readFiles(files: { certificateFile: string; keyFile: string }): CertificateAndKey {
  const read = { cert: readPem(files.certificateFile), key: readPem(files.keyFile) }
  try {
    createSecureContext(read)
    return read
  } catch (error) {
    // The library's text names the fault, never the key.
    throw new StrongroomError(
      'SR_KMS_TLS',
      `${files.certificateFile} and ${files.keyFile} are no certificate and its private key, in PEM ` +
        `(${systemReason(error)})`,
      { cause: error },
    )
  }
}

function readPem(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new StrongroomError(
      'SR_KMS_TLS',
      `cannot read ${file} (${systemReason(error)}): the service's user must be able to read it`,
      { cause: error },
    )
  }
}

/** Undefined while a file is missing, as between the two renames of a renewal. */
function versionOf(files: { certificateFile: string; keyFile: string }): string | undefined {
  try {
    return [files.certificateFile, files.keyFile]
      .map((file) => statSync(file, { bigint: true }))
      .map(({ ino, mtimeNs, size }) => `${String(ino)}/${String(mtimeNs)}/${String(size)}`)
      .join(' ')
  } catch {
    return undefined
  }
}
