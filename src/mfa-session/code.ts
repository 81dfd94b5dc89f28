import { StrongroomError } from '../errors.ts'

/** Where one-time codes come from. */
export interface CodeSource {
  /** The next code, six digits; `refusal` says why the one before was not taken. undefined: there is no other. */
  next(refusal: string | undefined): Promise<string | undefined>
}

/** As many as are asked for at a terminal: our KMS service begins to make the caller wait after five wrong ones. */
const triesAtMost = 3

/** The six digits in what was typed or read; undefined: they aren't. */
export function codeIn(bytes: Uint8Array): string | undefined {
  return /^\s*(\d{6})\s*$/.exec(Buffer.from(bytes).toString('latin1'))?.[1]
}

/** Asks until six digits come that were not refused before. `ask` is told what is wrong, and resolves to what was typed. */
export function codesAskedFor(ask: (fault: string | undefined) => Promise<Buffer>): CodeSource {
  const given = new Set<string>()
  let tries = 0
  return {
    async next(refusal) {
      let fault = refusal
      while (tries < triesAtMost) {
        tries += 1
        const typed = await ask(fault)
        const code = codeIn(typed)
        typed.fill(0)
        if (code !== undefined && !given.has(code)) {
          given.add(code)
          return code
        }
        fault =
          code === undefined
            ? 'that is not six digits'
            : 'that code was refused already: wait for the next one'
      }
      return undefined
    },
  }
}

/** One code and no other. */
export function onlyCode(code: string): CodeSource {
  let isGiven = false
  return {
    next: () => {
      const next = isGiven ? undefined : code
      isGiven = true
      return Promise.resolve(next)
    },
  }
}

export function noCode(why: string, cause?: unknown): StrongroomError {
  return new StrongroomError('SR_MFA_CODE', `${why}; nothing was started`, { cause })
}
