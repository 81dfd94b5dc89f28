import { AwsException } from '../protocol/exceptions.ts'

export function malformed(message: string): AwsException {
  return new AwsException('MalformedPolicyDocumentException', message)
}

/** `${aws:username}` and the like are not filled in yet, and taken as they stand they would mean something else. */
export function refuseVariables(texts: readonly string[]): void {
  for (const text of texts) {
    if (text.includes('${')) throw malformed(`the policy variable in ${text} is not supported`)
  }
}
