import { AwsException } from '../protocol/exceptions.ts'

export function malformed(message: string): AwsException {
  return new AwsException('MalformedPolicyDocumentException', message)
}
