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
  const old = new Set(secretsIn(former, secrets))
  return {
    former: replaceAll(former, [...old], () => shown),
    next: replaceAll(next, secretsIn(next, secrets), (secret) => (old.has(secret) ? shown : shownNew)),
  }
}

function secretsIn(text: string, named: readonly string[]): string[] {
  const values = [...text.matchAll(secretLine)].map(([, value = '']) => value.replace(/^(['"])(.*)\1$/, '$2'))
  const longestFirst = (a: string, b: string) => b.length - a.length
  return [...new Set([...values, ...named])]
    .filter((value) => value !== '' && text.includes(value))
    .sort(longestFirst)
}

const secretLine =
  /^[ \t]*[#;]*[ \t]*[\w.-]*(?:token|password|passwd|secret|secret[_-]access[_-]key|access[_-]key[_-]id)[ \t]*=[ \t]*(\S.*?)[ \t]*$/gim

function replaceAll(text: string, secrets: readonly string[], mask: (secret: string) => string): string {
  return secrets.reduce((masking, secret) => masking.replaceAll(secret, mask(secret)), text)
}
