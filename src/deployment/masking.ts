const shown = '(secret)'
const shownNew = '(new secret)'

/**
 * Two versions of a text as they may be shown: secrets are masked, and one that changes still shows as a change. Secret is what is named, and
 * what a line says of a token, a password or a secret key, whoever wrote it.
 */
export function masked(
  former: string,
  next: string,
  secrets: readonly string[] = [],
): { former: string; next: string } {
  const old = secretsIn(former, secrets)
  const fresh = secretsIn(next, secrets)
  return {
    former: mask(former, old, () => shown),
    next: mask(next, fresh, (secret) => (old.includes(secret) ? shown : shownNew)),
  }
}

const secretNames = [
  'token',
  'passw(?:or)?d',
  'passphrase',
  'secret',
  'access[_-]key(?:[_-]id)?',
  '(?:private|encryption|file)[_-]?key',
  'sst[_-]auth',
].join('|')

/** Up to the line's end, for a unit may have several on one: Environment="A=…" "B=…". */
const secretLine = new RegExp(
  String.raw`((?:${secretNames})["']?[ \t]*[=:][ \t]*|SetCredential(?:Encrypted)?=[^:\n]*:|:\/\/[^\s/:@]*:(?=[^\s/@]*@))(\S.*?)([ \t\r]*)$`,
  'gim',
)

/** Shorter ones are masked where they stand alone: masked within words, they would show by what is left of these. */
const longEnough = 8

function secretsIn(text: string, named: readonly string[]): string[] {
  const values = [...text.matchAll(secretLine)].map(([, , value = '']) => unquoted(value))
  const longestFirst = (a: string, b: string) => b.length - a.length
  return [...new Set([...values, ...named])]
    .filter((value) => value !== '' && text.includes(value))
    .sort(longestFirst)
}

function mask(text: string, secrets: readonly string[], by: (secret: string) => string): string {
  const byLine = text.replace(secretLine, (_, before: string, value: string, end: string) => {
    const bare = unquoted(value)
    return `${before}${value.replace(bare, () => by(bare))}${end}`
  })
  return secrets.reduce((masking, secret) => masking.replace(everywhere(secret), () => by(secret)), byLine)
}

function everywhere(secret: string): RegExp {
  const literal = secret.replace(/[^\w\s]/g, '\\$&')
  return new RegExp(secret.length < longEnough ? String.raw`(?<![\w(])${literal}(?![\w)])` : literal, 'g')
}

function unquoted(value: string): string {
  return value.replace(/^(['"])(.*)\1$/, '$2')
}
