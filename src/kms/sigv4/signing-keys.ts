import { createHmac } from 'node:crypto'
import type { CredentialScope } from './claim.ts'

/**
 * The key that signs for one access key, day, region and service.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html, step 3
 */
export function deriveSigningKey(secretAccessKey: Buffer, scope: CredentialScope): Buffer {
  const start = Buffer.concat([Buffer.from('AWS4'), secretAccessKey])
  let key = start
  for (const part of [scope.date, scope.region, scope.service, 'aws4_request']) {
    const next = createHmac('sha256', key).update(part).digest()
    key.fill(0)
    key = next
  }
  return key
}

/** Derived keys, so that a request costs one HMAC instead of five. The least recently used go when it is full. */
export class SigningKeys {
  readonly #secretOf: (accessKeyId: string) => Buffer
  readonly #capacity: number
  readonly #keys = new Map<string, Buffer>()

  /** `secretOf` hands out a copy of a secret access key, which is zeroed here. */
  constructor(secretOf: (accessKeyId: string) => Buffer, capacity = 1000) {
    this.#secretOf = secretOf
    this.#capacity = capacity
  }

  get size(): number {
    return this.#keys.size
  }

  get(accessKeyId: string, scope: CredentialScope): Buffer {
    const name = `${accessKeyId}/${scope.date}/${scope.region}/${scope.service}`
    const key = this.#keys.get(name) ?? this.#derive(accessKeyId, scope)
    this.#keys.delete(name)
    this.#keys.set(name, key)
    this.#evict()
    return key
  }

  /** Drops the keys of an access key that is no longer good. */
  forget(accessKeyId: string): void {
    const start = `${accessKeyId}/`
    for (const [name, key] of this.#keys) {
      if (!name.startsWith(start)) continue
      key.fill(0)
      this.#keys.delete(name)
    }
  }

  zero(): void {
    for (const key of this.#keys.values()) key.fill(0)
    this.#keys.clear()
  }

  #derive(accessKeyId: string, scope: CredentialScope): Buffer {
    const secret = this.#secretOf(accessKeyId)
    try {
      return deriveSigningKey(secret, scope)
    } finally {
      secret.fill(0)
    }
  }

  #evict(): void {
    for (const [name, key] of this.#keys) {
      if (this.#keys.size <= this.#capacity) return
      key.fill(0)
      this.#keys.delete(name)
    }
  }
}
