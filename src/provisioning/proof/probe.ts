import { setTimeout } from 'node:timers/promises'
import { messageOf } from '../../errors.ts'

/** One request that shows whether somebody may do something. */
export interface Probe {
  readonly who: 'server' | 'administrator'
  /** `kms:Decrypt` */
  readonly action: string
  /** In what way: "with another keyring's context". */
  readonly how?: string
  readonly expected: Verdict
  /** Must do no harm where it is allowed. */
  readonly send: () => Promise<unknown>
  /** Exceptions of AWS that come only once the request is allowed. */
  readonly allowedWhere?: readonly string[]
}

export type Verdict = 'allowed' | 'refused'

export interface Proof {
  readonly who: Probe['who']
  readonly action: string
  readonly how: string | undefined
  readonly expected: Verdict
  /** `unclear`: neither one nor the other was shown. */
  readonly found: Verdict | 'unclear'
  /** What AWS said. */
  readonly detail: string | undefined
}

/** Milliseconds. */
const pause = 1000

/**
 * Sends it until it goes as expected, or the time is over: what was changed is known to all of AWS only after seconds. A fresh
 * access key isn't known at all meanwhile, which is neither allowed nor refused.
 */
export async function prove(probe: Probe, end: number, onWait: () => void): Promise<Proof> {
  for (let isFirst = true; ; isFirst = false) {
    const proof = await tryOnce(probe)
    if (proof.found === proof.expected || Date.now() >= end) return proof
    if (isFirst) onWait()
    await setTimeout(pause)
  }
}

export function isAsExpected({ found, expected }: Proof): boolean {
  return found === expected
}

async function tryOnce({ who, action, how, expected, send, allowedWhere = [] }: Probe): Promise<Proof> {
  const proof = { who, action, how, expected }
  try {
    await send()
    return { ...proof, found: 'allowed', detail: undefined }
  } catch (error) {
    const name = error instanceof Error ? error.name : ''
    const detail = `${name}: ${messageOf(error)}`
    // "The request would have succeeded": https://docs.aws.amazon.com/kms/latest/developerguide/testing-permissions.html
    if (name === 'DryRunOperationException' || allowedWhere.includes(name))
      return { ...proof, found: 'allowed', detail }
    return { ...proof, found: /^AccessDenied(Exception)?$/.test(name) ? 'refused' : 'unclear', detail }
  }
}
