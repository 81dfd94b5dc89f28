import { splitOutsideVariables } from './arn-template.ts'
import { malformed } from './malformed.ts'
import { matches } from './pattern.ts'
import { readTemplate, type Request, type Template } from './template.ts'

/** `Resource`, or negated `NotResource`. */
export interface ResourceList {
  readonly negated: boolean
  readonly templates: readonly Template[]
}

/**
 * `variables`: whether the version of the policy has policy variables. They may only stand in the last part of an ARN.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 */
export function readResources(
  texts: readonly string[],
  { negated, variables }: { negated: boolean; variables: boolean },
): ResourceList {
  if (variables) texts.forEach(requireVariablesInLastPart)
  return { negated, templates: texts.map((text) => readTemplate(text, { variables, wildcards: true })) }
}

/**
 * A variable that the request gives no value to matches no resource. Undefined: which resources `NotResource` leaves out
 * can't be told for that reason.
 */
export function coversResource(list: ResourceList, resource: string, request: Request): boolean | undefined {
  const patterns = list.templates.map((template) => template.fill(request))
  const isNamed = patterns.some((one) => one !== undefined && matches(one, resource, request.effort))
  if (!list.negated || isNamed) return isNamed !== list.negated
  return patterns.includes(undefined) ? undefined : true
}

function requireVariablesInLastPart(text: string): void {
  const parts = splitOutsideVariables(text)
  const early = parts.slice(0, 5).find((part) => /\$\{[^*?$]/.test(part))
  if (early !== undefined) {
    throw malformed(`the policy variable ${early} is not behind the fifth colon of the resource ${text}`)
  }
}
