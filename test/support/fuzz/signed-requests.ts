import type { Credentials } from '../kms-service.ts'
import { sign, type SignedRequest } from '../signer.ts'
import { formMembersOf, jsonMembers, type Known, membersFrom } from './members.ts'
import { changedJson, damaged, jsonText, oddValue, type Random } from './random.ts'

export type { Known } from './members.ts'

export interface Target {
  readonly url: string
  readonly region: string
  readonly credentials: Credentials
  /** What there is to call: the names of operations by service. */
  readonly operations: Readonly<Record<'kms' | 'cloudtrail' | 'iam' | 'sts', readonly string[]>>
}

export interface FuzzedRequest extends SignedRequest {
  readonly operation: string
}

const prefixes = { kms: 'TrentService', cloudtrail: 'CloudTrail_20131101' }
const versions = { iam: '2010-05-08', sts: '2011-06-15' }

/** A request whose signature is right in nine cases of ten, and whose contents are mostly near to good ones. */
export async function signedRequest(random: Random, known: Known, target: Target): Promise<FuzzedRequest> {
  const service = random.pick(['kms', 'kms', 'kms', 'iam', 'iam', 'sts', 'cloudtrail'] as const)
  const operation = random.chance(2) ? 'Nothing' : pickOperation(target.operations[service], random)
  const unsigned =
    service === 'kms' || service === 'cloudtrail'
      ? jsonRequest(`${prefixes[service]}.${operation}`, random, known)
      : formRequest({ service, operation }, random, known)
  const request = {
    method: 'POST',
    path: '/',
    query: {},
    ...unsigned,
    headers: { host: new URL(target.url).host, ...unsigned.headers, ...oddHeaders(random) },
  }
  const { region, credentials } = target
  const signing = { credentials, service, region, at: new Date() }
  const signed = await sign(request, random.chance(20) ? { ...signing, presignedFor: 60 } : signing)
  return { ...(random.chance(10) ? unsettled(signed, random) : signed), operation }
}

/** What puts a key out of use comes less often, or most requests would end at that. */
function pickOperation(operations: readonly string[], random: Random): string {
  const operation = random.pick(operations)
  return /^(Disable|Schedule|Delete(Imported|Alias))/.test(operation) && random.chance(95)
    ? pickOperation(operations, random)
    : operation
}

function jsonRequest(
  operationTarget: string,
  random: Random,
  known: Known,
): { headers: Record<string, string>; body: Buffer } {
  const members = membersFrom(jsonMembers(known), random)
  const text = jsonText(random.chance(60) ? changedJson(members, random) : members)
  const body = Buffer.from(random.chance(2) ? text.padEnd(random.pick([1_048_576, 1_048_577])) : text)
  const contentType = random.chance(98) ? 'application/x-amz-json-1.1' : 'text/plain'
  return {
    headers: { 'content-type': contentType, 'x-amz-target': operationTarget },
    body: random.chance(15) ? damaged(body, random) : body,
  }
}

function formRequest(
  { service, operation }: { service: 'iam' | 'sts'; operation: string },
  random: Random,
  known: Known,
): Partial<SignedRequest> & { headers: Record<string, string>; body: Buffer } {
  const pool = Object.entries(membersFrom(formMembersOf(known), random))
  const members = pool.map(([name, value]): [string, string] => {
    const odd = random.chance(5) ? oddValue(random) : value
    return [random.chance(2) ? `${name}.member.1` : name, typeof odd === 'string' ? odd : JSON.stringify(odd)]
  })
  const form = [['Action', operation] as const, ['Version', versions[service]] as const, ...members]
  if (random.chance(10)) {
    const query = Object.fromEntries(form.filter(([, value]) => value.length < 500 && value.isWellFormed()))
    return { method: 'GET', query, headers: {}, body: Buffer.alloc(0) }
  }
  const body = Buffer.from(
    new URLSearchParams(
      form.map(([name, value]): [string, string] => [name, value.toWellFormed()]),
    ).toString(),
  )
  const headers = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }
  return { headers, body: random.chance(20) ? damaged(body, random) : body }
}

function oddHeaders(random: Random): Record<string, string> {
  if (random.chance(90)) return {}
  return random.pick([
    { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
    { 'x-amz-security-token': 'token' },
    { 'x-forwarded-for': ' a \t b ' },
    { 'user-agent': '"'.repeat(3000) },
    { 'accept-encoding': 'br' },
  ])
}

/** Something other than signed. */
function unsettled(request: SignedRequest, random: Random): SignedRequest {
  const name = random.pick(['x-more', ...Object.keys(request.headers).filter((one) => one !== 'host')])
  const value = damaged(Buffer.from(request.headers[name] ?? ''), random)
    .toString('latin1')
    .replace(/[^\t\x20-\x7e\x80-\xff]/g, '')
  const without = Object.fromEntries(Object.entries(request.headers).filter(([one]) => one !== name))
  return random.pick([
    { ...request, headers: { ...request.headers, [name]: value } },
    { ...request, headers: without },
    { ...request, body: damaged(request.body, random) },
    { ...request, method: random.pick(['GET', 'PUT', 'DELETE', 'PATCH', 'HEAD']) },
    { ...request, target: `${request.target}${random.pick(['?', '&', 'x', '/..', '%00'])}` },
  ])
}
