import type { QueryPair } from '../sigv4/query-string.ts'
import { malformed } from './form.ts'

/** A member of a form: a text, a list, or a structure. */
export type FormValue = string | readonly FormValue[] | { readonly [name: string]: FormValue }

/** `ContextEntries.member.1.ContextKeyValues.member.1`, the deepest of IAM's, has six names. */
const maxDepth = 10

/** What stands at one place of a form: a value, or what is below it. */
interface Node {
  value: string | undefined
  readonly below: Map<string, Node>
}

/**
 * The members of a request in the query protocol: `UserName=a` is a text, `Tags.member.1.Key=a` a list of structures.
 * An empty list comes as an empty text (`Tags=`): see `formList`.
 * Throws SerializationException when a member is there twice, or as two kinds of thing, or has no such form.
 * https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
 */
export function formMembers(pairs: readonly QueryPair[]): Record<string, FormValue> {
  const root = newNode()
  for (const [name, value] of pairs) put(root, name, value)
  return structure(root)
}

function put(root: Node, name: string, value: string): void {
  const names = name.split('.', maxDepth + 1)
  if (names.length > maxDepth) throw malformed('a parameter of the request is nested too deeply')
  let node = root
  for (const one of names) {
    if (node.value !== undefined) throw twice()
    const next = node.below.get(one) ?? newNode()
    node.below.set(one, next)
    node = next
  }
  if (node.value !== undefined || node.below.size > 0) throw twice()
  node.value = value
}

function newNode(): Node {
  return { value: undefined, below: new Map() }
}

function valueOf(node: Node): FormValue {
  if (node.value !== undefined) return node.value
  const members = node.below.get('member')
  if (members === undefined) return structure(node)
  if (node.below.size > 1 || members.value !== undefined) {
    throw malformed('a list of the request has something beside its members')
  }
  return list(members)
}

function structure({ below }: Node): Record<string, FormValue> {
  return Object.fromEntries([...below].map(([name, one]) => [name, valueOf(one)]))
}

/** Members may come in any order, and numbers may be left out. */
function list({ below }: Node): FormValue[] {
  const numbered = [...below].map(([name, one]) => {
    if (!/^[1-9]\d{0,8}$/.test(name)) throw malformed('the members of a list are numbered from 1')
    return [Number(name), one] as const
  })
  return numbered.sort(([a], [b]) => a - b).map(([, one]) => valueOf(one))
}

function twice(): ReturnType<typeof malformed> {
  return malformed('the request has a member twice')
}
