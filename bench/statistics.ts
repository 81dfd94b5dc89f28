export function median(values: readonly number[]): number {
  return percentile(values, 50)
}

/** By the nearest rank. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = Float64Array.from(values).sort()
  const rank = Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)
  return sorted[rank] ?? Number.NaN
}
