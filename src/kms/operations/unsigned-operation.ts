import type { z } from 'zod'
import { isRecorded, recordedParameters } from '../audit/recorded-parameters.ts'
import type { WebIdentityUser } from '../principal.ts'
import { parseMembers } from '../protocol/validation.ts'
import type { Call, UnsignedCall } from './call.ts'

/** An operation whose request nobody signs: it brings another proof of who the caller is. */
export interface UnsignedParts<
  Input,
  Found extends { readonly caller: WebIdentityUser },
  Output extends object,
> {
  readonly name: string
  readonly readOnly: boolean
  readonly input: z.ZodType<Input>
  /** Little of the request, for the record of one that is refused: anybody may send it. */
  readonly recordedOfStranger: (input: Input) => Record<string, unknown>
  /** Verifies the proof, which may take its time. Changes nothing. */
  readonly identify: (input: Input, call: UnsignedCall) => Promise<Found>
  /** Throws unless the caller may. Nothing waits from here on. */
  readonly authorize: (input: Input, found: Found, call: Call) => void
  /** Does it. Every change is durable when this returns. */
  readonly run: (input: Input, found: Found, call: Call) => Output
  /** As of a signed operation. */
  readonly recordedAnswer: (output: Output) => Record<string, unknown>
}

export interface UnsignedOperation<Output extends object> {
  readonly name: string
  readonly readOnly: boolean
  readonly executeUnsigned: (members: Record<string, unknown>, call: UnsignedCall) => Promise<Output>
}

/** The order is the same as of signed operations, but for the proof, which takes the place of the signature. */
export function unsignedOperation<
  Input,
  Found extends { readonly caller: WebIdentityUser },
  Output extends object,
>(parts: UnsignedParts<Input, Found, Output>): UnsignedOperation<Output> {
  return {
    name: parts.name,
    readOnly: parts.readOnly,
    async executeUnsigned(members, unsigned) {
      const { seen } = unsigned
      const input = parseMembers(parts.input, members, isRecorded)
      seen.requestParameters = parts.recordedOfStranger(input)
      const found = await parts.identify(input, unsigned)
      unsigned.identified(found.caller)
      const call: Call = { ...unsigned, caller: found.caller }
      parts.authorize(input, found, call)
      seen.requestParameters = recordedParameters(input)
      const output = parts.run(input, found, call)
      seen.responseElements = parts.recordedAnswer(output)
      return output
    },
  }
}
