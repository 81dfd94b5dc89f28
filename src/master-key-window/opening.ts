import { StrongroomError } from '../errors.ts'

export interface OpeningLimits {
  /** From then on nothing is sent. */
  readonly over: AbortSignal
  /** From then on no answer is waited for. */
  readonly late: AbortSignal
}

/** How a target is opened and closed. Each call is one attempt, and throws a StrongroomError. */
export interface Opening {
  /** Finds out, while the target is closed, whether it could be closed. */
  prove(): Promise<void>
  /** Resolves to the request id of the call that opened it. */
  open(limits: OpeningLimits): Promise<string | undefined>
  /** Resolves once the KMS says that it is closed, also where there was nothing to close; to the request id of the closing call. */
  close(): Promise<string | undefined>
  isOpen(): Promise<boolean>
}

/** Throws SR_WINDOW_REFUSED. */
export function requireNotOver(over: AbortSignal): void {
  if (!over.aborted) return
  throw new StrongroomError(
    'SR_WINDOW_REFUSED',
    `the window was over before anything was opened: ${String(over.reason)}`,
  )
}
