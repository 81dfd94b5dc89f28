import { messageOf, StrongroomError, systemCode } from '../errors.ts'
import { notChecked, type Outcome } from './finding.ts'

/** Something that was looked at, or why it could not be. */
export type Looked<T> = Seen<T> | Unseen

export interface Seen<T> {
  readonly seen: T
}

export interface Unseen {
  readonly unseen: string
  /** Whoever runs the doctor may not look there; that is no fault of the host. */
  readonly isForbidden?: true
  /** Somebody is there, and does not know how to answer. */
  readonly isRefused?: true
}

export function seen<T>(value: T): Seen<T> {
  return { seen: value }
}

/** `reason` says what is in the way, after "not checked: ". */
export function unseen(reason: string): Unseen {
  return { unseen: reason }
}

/** What kept us from looking. */
export function unseenBy(error: unknown): Unseen {
  const said = error instanceof StrongroomError ? error.message : messageOf(error)
  const causes = [error, error instanceof Error ? error.cause : undefined].map(systemCode)
  return {
    unseen: said,
    ...(causes.some((code) => code === 'EACCES' || code === 'EPERM') && { isForbidden: true }),
  }
}

export function isSeen<T>(looked: Looked<T>): looked is Seen<T> {
  return 'seen' in looked
}

/** What a check says of something that was looked at; else that it is not checked, and why. */
export function given<T>(looked: Looked<T>, check: (value: T) => Outcome): Outcome {
  return isSeen(looked) ? check(looked.seen) : [notChecked(looked.unseen)]
}
