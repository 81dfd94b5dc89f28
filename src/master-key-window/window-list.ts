import { StrongroomError } from '../errors.ts'

/** A server that a window is to be opened for, as the command line or a line of a list says it. */
export interface WantedServer {
  readonly key: string
  readonly untilReady: string | undefined
  readonly grant: string | undefined
  readonly keyringId: string | undefined
  readonly expect: string | undefined
}

export const keyringIdForm = /^[0-9a-f]{32}$/

const words = ['grant', 'keyring-id', 'expect'] as const
type Word = (typeof words)[number]

/**
 * Reads a list of servers, one a line: the master key, then words such as `grant=ARN`, `keyring-id=ID` and `expect=ARN`, then to the end of
 * the line the URL or command that tells when the server is ready. `#` begins a line that is no server. Throws SR_USAGE with the
 * number of the line.
 */
export function parseWindowList(text: string, file: string): WantedServer[] {
  const servers = text.split('\n').flatMap((line, index) => {
    const trimmed = line.trim()
    return trimmed === '' || trimmed.startsWith('#') ? [] : [parseLine(trimmed, `${file}, line ${index + 1}`)]
  })
  if (servers.length === 0) throw new StrongroomError('SR_USAGE', `${file} lists no server`)
  return servers
}

/** Throws SR_USAGE. */
export function requireArn(text: string, where: string): void {
  if (/^arn:[a-z-]+:(iam|sts)::\d{12}:\S+$/.test(text)) return
  throw new StrongroomError(
    'SR_USAGE',
    `${where} takes the ARN of a user or role, such as arn:aws:iam::111122223333:user/mariadb; "${text}" is none`,
  )
}

/** Throws SR_USAGE. */
export function requireKeyringId(text: string, where: string): void {
  if (keyringIdForm.test(text)) return
  throw new StrongroomError(
    'SR_USAGE',
    `${where} takes 32 hex digits, those of "id" in aws-kms-key.keyring.json; "${text}" is none`,
  )
}

function parseLine(line: string, where: string): WantedServer {
  const [, key = '', ...rest] = /^(\S+)\s*(.*)$/.exec(line) ?? []
  const said: Partial<Record<Word, string>> = {}
  let left = rest.join('')
  for (;;) {
    const [all, name, value = ''] = /^([a-z-]+)=(\S*)\s*/.exec(left) ?? []
    const word = words.find((known) => known === name)
    if (all === undefined || word === undefined) break
    if (word === 'keyring-id') requireKeyringId(value, `${where}: ${word}`)
    else requireArn(value, `${where}: ${word}`)
    said[word] = value
    left = left.slice(all.length)
  }
  return {
    key,
    untilReady: left === '' ? undefined : left,
    grant: said.grant,
    keyringId: said['keyring-id'],
    expect: said.expect,
  }
}
