import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  rawHeadersOf,
  sign,
  type SignedRequest,
  targetOf,
  type UnsignedRequest,
} from '../../../test/support/signer.ts'
import { longTerm, verifierOf } from '../../../test/support/verifier.ts'
import { AwsException } from '../protocol/exceptions.ts'
import type { WireRequest } from './canonical-request.ts'
import { verifySignature } from './verify.ts'

const scope = { service: 'kms', regions: ['eu-west-3'] }
const at = new Date('2030-01-02T03:04:05Z')
const verifier = verifierOf()

const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,12}$/)
/** What can stand in a header: visible characters of any kind, and spaces and tabs anywhere. */
const headerValue = fc
  .array(fc.oneof(fc.constantFrom(' ', '\t', '  ', 'a', 'Z', '~', ',', '"', 'é', 'ሴ', '😀'), word), {
    maxLength: 8,
  })
  .map((parts) => parts.join(''))
const text = fc.string({ unit: 'binary', maxLength: 12 }).filter((one) => one.isWellFormed())
const parameterName = text.filter((one) => one !== '' && !/^x-amz-/i.test(one) && one !== '__proto__')
const segment = fc.stringMatching(/^[\w.~!$'()*,;:@=+%-]{1,8}$/).filter((one) => !/^\.*$/.test(one))

const requests: fc.Arbitrary<UnsignedRequest> = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE'),
  path: fc
    .tuple(fc.array(segment, { maxLength: 3 }), fc.boolean())
    .map(([segments, slash]) => `/${segments.join('/')}${slash && segments.length > 0 ? '/' : ''}`),
  query: fc.dictionary(parameterName, fc.oneof(text, fc.array(text, { minLength: 1, maxLength: 3 })), {
    maxKeys: 4,
  }),
  headers: fc
    .dictionary(
      word.map((name) => `x-${name}`).filter((name) => !name.startsWith('x-amz')),
      headerValue,
      { maxKeys: 5 },
    )
    .map((headers) => ({ ...headers, host: 'kms.example:8202', 'x-amz-target': 'TrentService.Encrypt' })),
  body: fc.uint8Array({ maxLength: 200 }).map((one) => Buffer.from(one)),
})

function wire(request: SignedRequest): WireRequest {
  return { ...request, rawHeaders: rawHeadersOf(request.headers) }
}

function accepts(request: WireRequest): boolean {
  try {
    return verifySignature(request, scope, verifier, at).principal.accessKeyId === longTerm.accessKeyId
  } catch (error) {
    assert.ok(error instanceof AwsException)
    return false
  }
}

/** Another character than that at a place of the text, and one that no rule of the canonical form hides. */
function changed(text: string, place: number): string {
  const at = place % text.length
  return `${text.slice(0, at)}${text[at] === 'q' ? 'r' : 'q'}${text.slice(at + 1)}`
}

/** The ways to change one byte of what was signed; those that there is nothing to change for are left out. */
function alterations(request: SignedRequest, place: number): WireRequest[] {
  const good = wire(request)
  const altered: WireRequest[] = [{ ...good, method: changed(good.method, place) }]
  altered.push({ ...good, target: good.target.replace('/', '/q') })
  if (request.body.length > 0) {
    const body = Buffer.from(request.body)
    const at = place % body.length
    body[at] = (body[at] ?? 0) ^ (1 << (place % 8))
    altered.push({ ...good, body })
  }
  for (const [name, values] of Object.entries(request.query)) {
    const all = [values].flat()
    const at = place % all.length
    const other = all
      .with(at, all[at] === '' ? 'q' : changed(all[at] ?? '', place))
      .map((one) => one.toWellFormed())
    altered.push({ ...good, target: targetOf(request.path, { ...request.query, [name]: other }) })
  }
  good.rawHeaders.forEach((value, index) => {
    const visible = [...value.matchAll(/[^ \t]/g)].map((match) => match.index)
    const at = visible[place % Math.max(visible.length, 1)]
    if (index % 2 === 0 || at === undefined) return
    altered.push({ ...good, rawHeaders: good.rawHeaders.with(index, changed(value, at)) })
  })
  return altered
}

for (const [form, presignedFor] of [
  ['in the header', undefined],
  ['in the query', 300],
] as const) {
  test(`accepts 2500 random requests that were signed ${form}, and none with a byte changed`, async () => {
    let accepted = 0
    let refused = 0
    await fc.assert(
      fc.asyncProperty(requests, fc.nat(), async (request, place) => {
        const signing = { credentials: longTerm, service: 'kms', region: 'eu-west-3', at }
        const signed = await sign(
          request,
          presignedFor === undefined ? signing : { ...signing, presignedFor },
        )
        assert.ok(accepts(wire(signed)), signed.target)
        accepted++
        const altered = alterations(signed, place)
        const one = altered[place % altered.length] ?? assert.fail()
        assert.ok(!accepts(one), JSON.stringify(one))
        refused++
      }),
      { numRuns: 2500 },
    )
    assert.deepEqual([accepted, refused], [2500, 2500])
  })
}
