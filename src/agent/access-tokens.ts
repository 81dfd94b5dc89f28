import { hash, timingSafeEqual } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { messageOf, StrongroomError, systemCode } from '../errors.ts'

const readableByOthers = 0o004
const shortestToken = 16

/**
 * The tokens that open one keyring at the Vault listener: one a line in a file, so that a new one can stand beside
 * the old while servers that hold the old still run.
 */
export class AccessTokens {
  readonly #file: string
  /** Digests have one length, so comparing tells nothing of the tokens' lengths. */
  #digests: readonly Buffer[]

  /** Throws SR_TOKEN_INVALID. */
  constructor(file: string) {
    this.#file = file
    this.#digests = readDigests(file)
  }

  /** Reads the file again; throws SR_TOKEN_INVALID, and then the former tokens stay valid. */
  reload(): void {
    this.#digests = readDigests(this.#file)
  }

  accept(token: string | string[] | undefined): boolean {
    if (typeof token !== 'string') return false
    const digest = digestOf(token)
    let accepted = false
    // Every token is compared whatever the first ones say: the time tells nothing.
    for (const known of this.#digests) accepted = timingSafeEqual(known, digest) || accepted
    return accepted
  }
}

function readDigests(file: string): Buffer[] {
  const tokens = readTokenFile(file)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
  if (tokens.length === 0)
    throw invalid(file, 'it holds no token; write one, for example with `openssl rand -hex 32`')
  const short = tokens.findIndex((token) => token.length < shortestToken)
  if (short >= 0) throw invalid(file, `token ${short + 1} in it is shorter than ${shortestToken} characters`)
  return tokens.map(digestOf)
}

function readTokenFile(file: string): string {
  try {
    if ((statSync(file).mode & readableByOthers) !== 0)
      throw invalid(file, 'every user may read it; take that right away (chmod o= FILE)')
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof StrongroomError) throw error
    throw invalid(file, systemCode(error) ?? messageOf(error), error)
  }
}

function digestOf(token: string): Buffer {
  return hash('sha256', token, 'buffer')
}

function invalid(file: string, fault: string, cause?: unknown): StrongroomError {
  return new StrongroomError('SR_TOKEN_INVALID', `cannot use the token file ${file}: ${fault}`, { cause })
}
