/** The work's result, or a TimeoutError when the signal comes first; work that no signal reaches goes on unheeded. */
export async function orTimeout<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: timeout, reject } = Promise.withResolvers<never>()
  const giveUp = (): void => {
    reject(new DOMException('no answer in time', 'TimeoutError'))
  }
  if (signal.aborted) giveUp()
  signal.addEventListener('abort', giveUp, { once: true })
  try {
    return await Promise.race([work, timeout])
  } finally {
    signal.removeEventListener('abort', giveUp)
  }
}
