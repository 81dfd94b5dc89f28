import { generateKeyPair, type KeyObject } from 'node:crypto'
import type { Logger } from 'pino'

export const wrappingKeySpecs = ['RSA_2048', 'RSA_3072', 'RSA_4096'] as const

export type WrappingKeySpec = (typeof wrappingKeySpecs)[number]

export interface WrappingKey {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

interface Waiting {
  readonly resolve: (key: WrappingKey) => void
  readonly reject: (error: Error) => void
}

/** For keys of one kind. */
const mostWaiting = 10

/**
 * RSA keys for GetParametersForImport, each given out once. To make one takes up to some seconds of a processor, and
 * everybody would wait: so from when imported keys are first seen, one of each kind is made ahead, on another thread.
 */
export class WrappingKeys {
  readonly #log: Logger
  readonly #ready = new Map<WrappingKeySpec, WrappingKey>()
  readonly #underWay = new Set<WrappingKeySpec>()
  readonly #waiting: Readonly<Record<WrappingKeySpec, Waiting[]>> = {
    RSA_2048: [],
    RSA_3072: [],
    RSA_4096: [],
  }

  constructor(log: Logger) {
    this.#log = log
  }

  prepare(): void {
    for (const spec of wrappingKeySpecs) this.#make(spec)
  }

  /** Another one each time; the others wait for theirs. Undefined: too many wait already. */
  take(spec: WrappingKeySpec): Promise<WrappingKey> | undefined {
    const waiting = this.#waiting[spec]
    if (waiting.length >= mostWaiting) return undefined
    const taken = new Promise<WrappingKey>((resolve, reject) => waiting.push({ resolve, reject }))
    this.#handOut(spec)
    return taken
  }

  #handOut(spec: WrappingKeySpec): void {
    const key = this.#ready.get(spec)
    const first = key && this.#waiting[spec].shift()
    if (key !== undefined && first !== undefined) {
      this.#ready.delete(spec)
      first.resolve(key)
    }
    this.#make(spec)
  }

  #make(spec: WrappingKeySpec): void {
    if (this.#ready.has(spec) || this.#underWay.has(spec)) return
    this.#underWay.add(spec)
    generateKeyPair('rsa', { modulusLength: modulusLength(spec) }, (error, publicKey, privateKey) => {
      this.#underWay.delete(spec)
      if (error === null) {
        this.#ready.set(spec, { publicKey, privateKey })
        this.#handOut(spec)
      } else {
        // The next request tries again.
        this.#log.warn({ err: error, spec }, 'cannot make a wrapping key')
        for (const { reject } of this.#waiting[spec].splice(0)) reject(error)
      }
    })
  }
}

function modulusLength(spec: WrappingKeySpec): number {
  return Number(spec.slice('RSA_'.length))
}
