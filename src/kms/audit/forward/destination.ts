/** Where records are forwarded to. */
export interface Destination {
  /** For the log: no secret is in it. */
  readonly name: string
  /** In bytes: what one call of `send` takes. */
  readonly largestBatch: number
  /** Resolves when the lines (without line ends) have arrived, as far as the protocol lets us know; rejects when not. */
  send(lines: readonly Buffer[], stopped: AbortSignal): Promise<void>
  close(): void
}
