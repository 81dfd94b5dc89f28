import type { Effort } from './effort.ts'
import { compile, matches, type Pattern, wildcardParts } from './pattern.ts'

/** `Action`, or negated `NotAction`. Names of actions are the same in any case. */
export interface ActionList {
  readonly negated: boolean
  readonly patterns: readonly Pattern[]
}

export function readActions(texts: readonly string[], negated: boolean): ActionList {
  return { negated, patterns: texts.map((text) => compile(wildcardParts(text.toLowerCase()))) }
}

/** `action`: in lower case. */
export function coversAction(list: ActionList, action: string, effort: Effort): boolean {
  return list.patterns.some((pattern) => matches(pattern, action, effort)) !== list.negated
}
