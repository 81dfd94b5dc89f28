import { generateKeyPair, generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { Logger } from 'pino'

export const wrappingKeySpecs = ['RSA_2048', 'RSA_3072', 'RSA_4096'] as const

export type WrappingKeySpec = (typeof wrappingKeySpecs)[number]

export interface WrappingKey {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

/**
 * RSA keys for GetParametersForImport, each given out once. To make one takes up to some seconds of a processor, and
 * everybody would wait: so from when imported keys are first seen, one of each kind is made ahead, on another thread.
 */
export class WrappingKeys {
  readonly #log: Logger
  readonly #ready = new Map<WrappingKeySpec, WrappingKey>()
  readonly #underWay = new Set<WrappingKeySpec>()

  constructor(log: Logger) {
    this.#log = log
  }

  prepare(): void {
    for (const spec of wrappingKeySpecs) this.#make(spec)
  }

  take(spec: WrappingKeySpec): WrappingKey {
    const key = this.#ready.get(spec) ?? generateKeyPairSync('rsa', { modulusLength: modulusLength(spec) })
    this.#ready.delete(spec)
    this.#make(spec)
    return key
  }

  #make(spec: WrappingKeySpec): void {
    if (this.#ready.has(spec) || this.#underWay.has(spec)) return
    this.#underWay.add(spec)
    generateKeyPair('rsa', { modulusLength: modulusLength(spec) }, (error, publicKey, privateKey) => {
      this.#underWay.delete(spec)
      // The next request makes its own then, and tells its caller if that fails too.
      if (error !== null) this.#log.warn({ err: error, spec }, 'cannot make a wrapping key')
      else this.#ready.set(spec, { publicKey, privateKey })
    })
  }
}

function modulusLength(spec: WrappingKeySpec): number {
  return Number(spec.slice('RSA_'.length))
}
