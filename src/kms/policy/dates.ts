const iso8601 = /^(\d{4}-\d\d-\d\d)(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/
const epochSeconds = /^\d{9,12}$/

/**
 * A moment as a policy or a request writes it, in milliseconds since 1970: an ISO 8601 date alone (its beginning, in
 * UTC), or with a time and a zone, or seconds since 1970. Undefined for anything else: `Date.parse` would read `2030`
 * or `1/2/30` too, a time without a zone by our own clock's zone, and February 30 as March 2.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 */
export function time(text: string): number | undefined {
  if (epochSeconds.test(text)) return Number(text) * 1000
  const day = iso8601.exec(text)?.[1]
  if (day === undefined || !isDay(day)) return undefined
  const milliseconds = Date.parse(text)
  return Number.isNaN(milliseconds) ? undefined : milliseconds
}

function isDay(text: string): boolean {
  const midnight = Date.parse(text)
  return !Number.isNaN(midnight) && new Date(midnight).toISOString().startsWith(text)
}
