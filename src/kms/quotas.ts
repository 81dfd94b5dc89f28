import type { Principal } from './principal.ts'
import { AwsException } from './protocol/exceptions.ts'

/** Requests per second of one principal: of all operations together, and of single ones. */
export interface QuotaRules {
  readonly all: number | undefined
  readonly perOperation: ReadonlyMap<string, number>
}

interface Bucket {
  tokens: number
  filledAt: number
}

/** Beyond so many buckets the ones that are full again, which say nothing, are dropped. */
const manyBuckets = 10_000

/**
 * How often one principal may call: a token bucket for each, which holds one second's requests. All sessions of a role
 * or a user count together, so new temporary credentials bring no new quota.
 * https://docs.aws.amazon.com/kms/latest/developerguide/throttling.html
 */
export class Quotas {
  readonly #rules: QuotaRules
  readonly #now: () => number
  readonly #buckets = new Map<string, Bucket>()

  /** `now` is in milliseconds and never goes back. */
  constructor(rules: QuotaRules, now: () => number = () => performance.now()) {
    this.#rules = rules
    this.#now = now
  }

  /** Of buckets that are held. */
  get size(): number {
    return this.#buckets.size
  }

  /** Counts the request; throws ThrottlingException when it is one too many. */
  take(principal: Principal, operation: string): void {
    const { all, perOperation } = this.#rules
    const ofOperation = perOperation.get(operation)
    const caller = whose(principal)
    // A request that one quota refuses is not counted by the other.
    const buckets = [
      ...(ofOperation === undefined ? [] : [this.#bucket(`${caller} ${operation}`, ofOperation)]),
      ...(all === undefined ? [] : [this.#bucket(caller, all)]),
    ]
    if (buckets.some(({ tokens }) => tokens < 1)) {
      throw new AwsException(
        'ThrottlingException',
        'You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.',
      )
    }
    for (const bucket of buckets) bucket.tokens--
  }

  #bucket(name: string, perSecond: number): Bucket {
    const now = this.#now()
    const bucket = this.#buckets.get(name) ?? this.#newBucket(name, perSecond, now)
    bucket.tokens = Math.min(perSecond, bucket.tokens + ((now - bucket.filledAt) / 1000) * perSecond)
    bucket.filledAt = now
    return bucket
  }

  #newBucket(name: string, perSecond: number, now: number): Bucket {
    if (this.#buckets.size >= manyBuckets) this.#dropFull(now)
    const bucket = { tokens: perSecond, filledAt: now }
    this.#buckets.set(name, bucket)
    return bucket
  }

  #dropFull(now: number): void {
    for (const [name, { filledAt }] of this.#buckets) if (now - filledAt >= 1000) this.#buckets.delete(name)
  }
}

/** Reads `*=1000, CreateKey=5`; undefined for the empty text. Throws an Error that says what is wrong. */
export function parseQuotas(text: string): QuotaRules | undefined {
  const rules = new Map<string, number>()
  for (const part of text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')) {
    const [, name, rate] = /^(\*|[A-Z][A-Za-z]{1,63}) *= *(\d{1,7})$/.exec(part) ?? []
    if (name === undefined || Number(rate) < 1 || rules.has(name)) {
      throw new Error(
        `"${part}" is not OPERATION=REQUESTS-PER-SECOND, such as CreateKey=5, once for each; * is all of them together`,
      )
    }
    rules.set(name, Number(rate))
  }
  if (rules.size === 0) return undefined
  const all = rules.get('*')
  rules.delete('*')
  return { all, perOperation: rules }
}

function whose(principal: Principal): string {
  return principal.type === 'AssumedRole' ? principal.role.roleId : principal.principalId
}
