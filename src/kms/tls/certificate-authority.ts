// Its library registers what it parses by decorators, and wants this first.
import 'reflect-metadata'
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'
import { createPrivateKey, hash, type KeyObject, randomBytes, webcrypto, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import type { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import type { RootKey } from '../seal/root-key.ts'
import { altered } from '../state/altered.ts'

/** PEM texts, as `node:tls` takes them. */
export interface ServerCertificate {
  readonly certificate: string
  readonly privateKey: string
  readonly notAfter: Date
}

const day = 24 * 60 * 60 * 1000
const authorityDays = 3650
const serverDays = 90
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

const row = z.object({ certificate: z.string(), sealed_private_key: z.instanceof(Uint8Array) })

/**
 * The service's own certificate authority, for sites without one: clients trust its certificate (`AWS_CA_BUNDLE`). It
 * signs for nobody but this service. Its private key is sealed in the database; server certificates and their keys live
 * in memory alone, for as long as the process.
 */
export class CertificateAuthority {
  /** PEM. */
  readonly certificate: string
  readonly #privateKey: KeyObject

  private constructor(certificate: string, privateKey: KeyObject) {
    this.certificate = certificate
    this.#privateKey = privateKey
  }

  /** The stored authority; makes it when there is none. Throws SR_KMS_DATABASE_DAMAGED when it was altered. */
  static async open(database: DatabaseSync, rootKey: RootKey, now: Date): Promise<CertificateAuthority> {
    const found = database.prepare('SELECT * FROM certificate_authority').get()
    if (found === undefined) return await CertificateAuthority.#make(database, rootKey, now)
    const { certificate, sealed_private_key: sealed } = row.parse(found)
    const pkcs8 = rootKey.unseal(sealed, belongsTo(certificate))
    if (pkcs8 === undefined) throw altered(belongsTo(certificate))
    try {
      const privateKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
      return new CertificateAuthority(certificate, privateKey)
    } finally {
      pkcs8.fill(0)
    }
  }

  /** A certificate of 90 days for these host names and addresses, and its private key. */
  async issue(names: readonly string[], now: Date): Promise<ServerCertificate> {
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
    const notAfter = new Date(now.getTime() + serverDays * day)
    const certificate = await X509CertificateGenerator.create({
      serialNumber: serialNumber(),
      subject: 'CN=Strongroom KMS',
      issuer: new X509Certificate(this.certificate).subject,
      notBefore: new Date(now.getTime() - day),
      notAfter,
      signingAlgorithm: algorithm,
      publicKey: keys.publicKey,
      signingKey: this.#privateKey.toCryptoKey(algorithm, false, ['sign']),
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
        new SubjectAlternativeNameExtension(
          names.map((value) => ({ type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const), value })),
        ),
      ],
    })
    return {
      certificate: certificate.toString('pem') + '\n',
      privateKey: await pem(keys.privateKey),
      notAfter,
    }
  }

  static async #make(database: DatabaseSync, rootKey: RootKey, now: Date): Promise<CertificateAuthority> {
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
    const made = await X509CertificateGenerator.createSelfSigned({
      serialNumber: serialNumber(),
      name: `CN=Strongroom KMS ${randomBytes(4).toString('hex')}`,
      notBefore: new Date(now.getTime() - day),
      notAfter: new Date(now.getTime() + authorityDays * day),
      signingAlgorithm: algorithm,
      keys,
      extensions: [
        new BasicConstraintsExtension(true, 0, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
        await SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    })
    const certificate = made.toString('pem') + '\n'
    const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey))
    try {
      database
        .prepare(
          'INSERT INTO certificate_authority (only, certificate, sealed_private_key, created_at) VALUES (1, ?, ?, ?)',
        )
        .run(certificate, rootKey.seal(pkcs8, belongsTo(certificate)), now.getTime())
      return new CertificateAuthority(
        certificate,
        createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }),
      )
    } finally {
      pkcs8.fill(0)
    }
  }
}

export function belongsTo(certificate: string): string {
  return `certificate authority ${hash('sha256', certificate)}`
}

/** 127 random bits: a positive number (RFC 5280, 4.1.2.2). */
function serialNumber(): string {
  const bytes = randomBytes(16)
  bytes.writeUInt8((bytes.readUInt8(0) & 0x7f) | 0x40, 0)
  return bytes.toString('hex')
}

async function pem(privateKey: webcrypto.CryptoKey): Promise<string> {
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', privateKey))
  try {
    return `-----BEGIN PRIVATE KEY-----\n${pkcs8.toString('base64')}\n-----END PRIVATE KEY-----\n`
  } finally {
    pkcs8.fill(0)
  }
}
