import { literal, matches } from './pattern.ts'
import { type Fits, readTemplate } from './template.ts'

const componentCount = 6

/**
 * A pattern for ARNs. Each of the six components is matched by itself: neither a wildcard nor what comes out of a
 * variable reaches over a colon, but in the last. `*` or a variable alone may stand for a whole ARN. Undefined for
 * what is neither.
 */
export function readArnTemplate(text: string, variables: boolean): Fits | undefined {
  if (text === '*') return () => true
  if (variables && /^\$\{[^{}]*\}$/.test(text)) return wholeArn(text)
  const components = firstFiveAndRest(variables ? splitOutsideVariables(text) : text.split(':'))
  if (components.length !== componentCount) return undefined
  const templates = components.map((component) => readTemplate(component, { variables, wildcards: true }))
  return (value, request) => {
    request.effort.spend(1 + value.length)
    const given = firstFiveAndRest(value.split(':'))
    if (given.length !== componentCount) return false
    return templates.every((template, index) => {
      const pattern = template.fill(request)
      return pattern !== undefined && matches(pattern, given[index] ?? '', request.effort)
    })
  }
}

function wholeArn(text: string): Fits {
  const template = readTemplate(text, { variables: true, wildcards: false })
  return (value, request) => {
    request.effort.spendOnText(value)
    const pattern = template.fill(request)
    return pattern !== undefined && literal(pattern) === value
  }
}

function firstFiveAndRest(parts: readonly string[]): string[] {
  if (parts.length < componentCount) return [...parts]
  return [...parts.slice(0, componentCount - 1), parts.slice(componentCount - 1).join(':')]
}

/** The names of variables have colons too. */
export function splitOutsideVariables(text: string): string[] {
  const parts = ['']
  for (const [piece] of text.matchAll(/\$\{[^{}]*\}|:|[^:$]+|\$/g)) {
    if (piece === ':') parts.push('')
    else parts.push(`${parts.pop() ?? ''}${piece}`)
  }
  return parts
}
