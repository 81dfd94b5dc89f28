/** Of the answer that made an error of AWS's SDK, as far as one came. */
export interface SdkAnswer {
  /** undefined: no answer came. */
  readonly status: number | undefined
  readonly requestId: string | undefined
}

/** Reads `$metadata`, which the SDK puts on each error that follows an answer, on those of other libraries too. */
export function answerBehind(error: unknown): SdkAnswer {
  const metadata = error instanceof Error && '$metadata' in error ? error.$metadata : undefined
  if (typeof metadata !== 'object' || metadata === null) return { status: undefined, requestId: undefined }
  const { httpStatusCode, requestId }: { httpStatusCode?: unknown; requestId?: unknown } = metadata
  return {
    status: typeof httpStatusCode === 'number' ? httpStatusCode : undefined,
    requestId: typeof requestId === 'string' ? requestId : undefined,
  }
}
