/** What a subcommand of `strongroom` does. */
export interface Command {
  /** What `--help` prints: an example first. */
  readonly help: string
  /**
   * Does the work and resolves to the exit code: 0 good, 1 a finding or failure.
   * Throws a StrongroomError for what the operator has to read; `SR_USAGE` exits 2.
   */
  run(args: readonly string[]): Promise<number>
  /** When the first argument is the name of one of these, that command runs instead. */
  readonly subcommands?: readonly CommandEntry[]
}

export interface CommandEntry {
  readonly name: string
  /** One line for the list of commands. */
  readonly summary: string
  /** Loaded only when it is used: the libraries of one command are no concern of another's start. */
  load(): Promise<Command>
}
