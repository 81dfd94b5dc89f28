import type { Answer } from './answer.ts'
import { AwsException, inQuery } from './exceptions.ts'
import { element, type XmlStructure } from './xml.ts'

/*
 * AWS Query: POST / with a form of `Action=CreateUser&Version=2010-05-08&UserName=…`, or GET / with a query string of it;
 * XML comes back. https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
 */

export type { XmlStructure, XmlValue } from './xml.ts'

const contentType = 'text/xml'

export function queryAnswer(
  request: { operation: string; namespace: string; requestId: string },
  output: XmlStructure | undefined,
): Answer {
  const { operation, namespace, requestId } = request
  const result = output === undefined ? '' : element(`${operation}Result`, output)
  const metadata = element('ResponseMetadata', { RequestId: requestId })
  return {
    status: 200,
    contentType,
    body: `<${operation}Response xmlns="${namespace}">${result}${metadata}</${operation}Response>`,
  }
}

/** Without a namespace when the request is for no service that there is. */
export function queryError(
  exception: AwsException,
  request: { namespace: string | undefined; requestId: string },
): Answer {
  const { code, status } = inQuery(exception.exceptionName)
  const type = status < 500 ? 'Sender' : 'Receiver'
  const error = element('Error', { Type: type, Code: code, Message: exception.message })
  const attribute = request.namespace === undefined ? '' : ` xmlns="${request.namespace}"`
  return {
    status,
    contentType,
    body: `<ErrorResponse${attribute}>${error}${element('RequestId', request.requestId)}</ErrorResponse>`,
  }
}
