import { AwsException } from '../protocol/exceptions.ts'
import { repeatedName } from '../repeated-name.ts'
import { malformed } from './malformed.ts'

/** A policy's text as a value, nothing of it lost; throws MalformedPolicyDocumentException. */
export function readJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text, refuseProto)
    // The parser would take the last of two: a Deny or a Condition would be gone.
    const repeated = repeatedName(text)
    if (repeated !== undefined) throw malformed(`the policy has two members named ${repeated} in one place`)
    return value
  } catch (error) {
    if (error instanceof AwsException) throw error
    throw malformed('the policy is not JSON')
  }
}

/** Schemas pass over this name, so a condition behind it would be dropped. */
function refuseProto(this: unknown, name: string, value: unknown): unknown {
  if (name === '__proto__') throw malformed('a policy has no member named __proto__')
  return value
}
