import { z } from 'zod'

/** A policy as it is written here: every list is a list. */
export interface Policy {
  readonly Version: '2012-10-17'
  readonly Statement: readonly Statement[]
}

export interface Statement {
  readonly Sid: string
  readonly Effect: 'Allow' | 'Deny'
  readonly Principal?: '*' | Readonly<Record<string, readonly string[]>>
  readonly Action?: readonly string[]
  readonly NotAction?: readonly string[]
  readonly Resource?: '*'
  readonly Condition?: Conditions
}

export type Conditions = Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>

/** As a call takes it. */
export function policyText(policy: Policy): string {
  return JSON.stringify(policy)
}

/**
 * Whether AWS's text says the same. It may write a list of one as its element, lists in another order, and a `Principal` whose
 * user or role is gone as that one's unique id, which is another policy.
 */
export function saysTheSame(text: string | undefined, policy: Policy): boolean {
  return text !== undefined && normalText(text) === normalText(policyText(policy))
}

/** The same policies have the same text, with lines to compare. A text that is no JSON stays as it is. */
export function normalText(text: string): string {
  try {
    return JSON.stringify(normal(JSON.parse(text)), undefined, 2)
  } catch {
    return text
  }
}

function normal(value: unknown): unknown {
  if (Array.isArray(value)) {
    const elements = value.map(normal)
    const [only] = elements
    return elements.length === 1 && typeof only === 'string' ? only : elements.sort(byText)
  }
  const members = z.record(z.string(), z.unknown()).safeParse(value)
  if (!members.success) return value
  return Object.fromEntries(
    Object.entries(members.data)
      .map(([name, member]) => [name, normal(member)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )
}

function byText(a: unknown, b: unknown): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1
}
