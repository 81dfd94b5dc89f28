/**
 * The work's result, or a TimeoutError after `limit` milliseconds; work that heeds the signal ends then, other work goes
 * on unheeded.
 */
export async function withinTime<T>(limit: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { promise: timeout, reject } = Promise.withResolvers<never>()
  const controller = new AbortController()
  const timer = setTimeout(() => {
    const error = new DOMException('no answer in time', 'TimeoutError')
    reject(error)
    controller.abort(error)
  }, limit)
  try {
    return await Promise.race([work(controller.signal), timeout])
  } finally {
    clearTimeout(timer)
  }
}
