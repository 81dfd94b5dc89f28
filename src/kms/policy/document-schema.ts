import { z } from 'zod'
import { malformed } from './malformed.ts'
import { principalElement } from './principals.ts'
import { readJson } from './read-json.ts'

/** A policy as its text has it: well formed, but not yet understood. */
export type RawDocument = z.infer<typeof document>
export type RawStatement = RawDocument['Statement'][number]

/** Policies write a list of one as its element. */
const listOf = <T extends z.ZodType>(element: T) =>
  z.preprocess((value: unknown): unknown => (Array.isArray(value) ? value : [value]), z.array(element).min(1))

const texts = listOf(z.string())
const statement = z.strictObject({
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Principal: principalElement.optional(),
  NotPrincipal: z.unknown().optional(),
  Action: texts.optional(),
  NotAction: texts.optional(),
  Resource: texts.optional(),
  NotResource: texts.optional(),
  Condition: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
})
const document = z.strictObject({
  Version: z.enum(['2008-10-17', '2012-10-17']).optional(),
  Id: z.string().optional(),
  Statement: listOf(statement),
})

/** Throws MalformedPolicyDocumentException. */
export function readRawDocument(text: string): RawDocument {
  const parsed = document.safeParse(readJson(text))
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw malformed(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not a policy'}`)
}
