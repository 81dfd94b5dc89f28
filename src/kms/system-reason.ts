import { messageOf, systemCode } from '../errors.ts'

/** What the system says about a failure, for an error text: its code (`EACCES`), or the message where it has none. */
export function systemReason(error: unknown): string {
  const code = systemCode(error)
  // Node.js' own codes (ERR_…) name a kind of API, not a reason.
  return code === undefined || code.startsWith('ERR_') ? messageOf(error) : code
}
