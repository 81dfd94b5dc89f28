import type { z } from 'zod'
import { parseMembers } from '../protocol/validation.ts'
import { authorize, type Permission } from './authorize.ts'
import type { Call } from './call.ts'
import { isRecorded, recordedParameters } from '../audit/recorded-parameters.ts'

/** One operation of an API. `Input` is what its schema makes of a request, `Found` is what the request names. */
export interface OperationParts<Input, Found, Output extends object | undefined> {
  readonly name: string
  /** Whether CloudTrail calls it read-only: Decrypt is, CreateKey is not. */
  readonly readOnly: boolean
  readonly input: z.ZodType<Input>
  /** Looks up what the request names. Changes nothing. */
  readonly find: (input: Input, call: Call) => Found
  /** Checks what the request proves beside its signature, such as an MFA code, which is used up by that. */
  readonly prove?: (input: Input, found: Found, call: Call) => Found
  /** What the caller has to be allowed, all of it. An empty list: anyone who can sign may call it. */
  readonly permissions: (input: Input, found: Found, call: Call) => readonly Permission[]
  /** Does it. Every change is durable when this returns. */
  readonly run: (input: Input, found: Found, call: Call) => Output
  /** The part of the answer that goes into the audit trail, picked by name; nothing when left out. */
  readonly recordedAnswer?: (output: Output) => Record<string, unknown>
}

export interface Operation<Output extends object | undefined> {
  readonly name: string
  readonly readOnly: boolean
  readonly execute: (members: Record<string, unknown>, call: Call) => Output
}

/** The order is the same for every operation: check the members, find, check proofs, ask for permission, do. */
export function operation<Input, Found, Output extends object | undefined>(
  parts: OperationParts<Input, Found, Output>,
): Operation<Output> {
  return {
    name: parts.name,
    readOnly: parts.readOnly,
    execute(members, call) {
      const input = parseMembers(parts.input, members, isRecorded)
      call.seen.requestParameters = recordedParameters(input)
      const sought = parts.find(input, call)
      const found = parts.prove === undefined ? sought : parts.prove(input, sought, call)
      const permissions = parts.permissions(input, found, call)
      call.seen.keyArns = permissions.flatMap(({ key }) => key?.arn ?? [])
      for (const permission of permissions) authorize(permission, call)
      const output = parts.run(input, found, call)
      if (parts.recordedAnswer !== undefined) call.seen.responseElements = parts.recordedAnswer(output)
      return output
    },
  }
}
