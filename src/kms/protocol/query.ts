import type { Answer } from './answer.ts'
import { AwsException, inQuery } from './exceptions.ts'

/*
 * AWS Query: POST / with a form of `Action=CreateUser&Version=2010-05-08&UserName=…`; XML comes back.
 * https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
 */

const contentType = 'text/xml'

/** A value of an answer: text, or a structure, or a list. */
export type XmlValue = string | boolean | Date | undefined | XmlStructure | readonly XmlValue[]
export interface XmlStructure {
  readonly [name: string]: XmlValue
}

/** The operations of this protocol that are answered here take some names, no more. */
export const maxFormBytes = 16_384

/** Throws RequestEntityTooLargeException: for a large form `URLSearchParams` takes quadratic time. */
export function readForm(body: Buffer): URLSearchParams {
  if (body.length > maxFormBytes) {
    throw new AwsException('RequestEntityTooLargeException', `A form has at most ${maxFormBytes} bytes.`)
  }
  return new URLSearchParams(body.toString('utf8'))
}

/**
 * The form as members. `Tags.member.1.Key=x` shows as the member `Tags`, so that a schema can refuse it.
 * Throws SerializationException when a member is there twice.
 */
export function formMembers(form: URLSearchParams): Record<string, string> {
  const members = new Map<string, string>()
  const names = new Set<string>()
  for (const [name, value] of form) {
    const [member = name] = name.split('.')
    // Twice the same, or once as a text and once as a structure.
    if (names.has(name) || names.has(member) || (name === member && members.has(member))) {
      throw new AwsException('SerializationException', 'the request has a member twice')
    }
    names.add(name)
    members.set(member, value)
  }
  return Object.fromEntries(members)
}

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

export function queryError(
  exception: AwsException,
  request: { namespace: string; requestId: string },
): Answer {
  const { code, status } = inQuery(exception.exceptionName)
  const type = status < 500 ? 'Sender' : 'Receiver'
  const error = element('Error', { Type: type, Code: code, Message: exception.message })
  return {
    status,
    contentType,
    body: `<ErrorResponse xmlns="${request.namespace}">${error}${element('RequestId', request.requestId)}</ErrorResponse>`,
  }
}

function element(name: string, value: XmlValue): string {
  return value === undefined ? '' : `<${name}>${content(value)}</${name}>`
}

function content(value: Exclude<XmlValue, undefined>): string {
  if (typeof value === 'string') return escape(value)
  if (typeof value === 'boolean') return String(value)
  if (value instanceof Date) return `${value.toISOString().slice(0, 19)}Z`
  if (isList(value)) return value.map((one) => element('member', one)).join('')
  return Object.entries(value)
    .map(([name, one]) => element(name, one))
    .join('')
}

function isList(value: XmlStructure | readonly XmlValue[]): value is readonly XmlValue[] {
  return Array.isArray(value)
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`)
}
