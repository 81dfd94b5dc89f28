/** What a subcommand of `strongroom` does. */
export interface Command {
  /** What `--help` prints: an example first. */
  readonly help: string
  /**
   * Does the work and resolves to the exit code: 0 good, 1 a finding or failure.
   * Throws a StrongroomError for what the operator has to read; `SR_USAGE` exits 2.
   */
  run(args: readonly string[]): Promise<number>
}
