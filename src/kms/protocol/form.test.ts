import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { formMembers } from './form-members.ts'
import { formBoolean, formInteger, formList } from './form-types.ts'
import { formPairs } from './form.ts'
import { parseMembers } from './validation.ts'

const members = (form: string): unknown => formMembers(formPairs(Buffer.from(form)))

test('reads texts, lists and structures', () => {
  const table: [form: string, members: unknown][] = [
    ['', {}],
    ['A=b&C=d', { A: 'b', C: 'd' }],
    ['A=&B', { A: '', B: '' }],
    ['A=b%20c+d%2Be&%41b=%E1%88%B4', { A: 'b c d+e', Ab: 'ሴ' }],
    ['A=b=c&&', { A: 'b=c' }],
    ['PolicyArns.member.1.arn=a&PolicyArns.member.2.arn=b', { PolicyArns: [{ arn: 'a' }, { arn: 'b' }] }],
    ['Tags.member.1.Key=k&Tags.member.1.Value=v', { Tags: [{ Key: 'k', Value: 'v' }] }],
    ['K.member.2=b&K.member.1=a&K.member.10=c', { K: ['a', 'b', 'c'] }],
    ['C.member.1.N=n&C.member.1.V.member.1=v', { C: [{ N: 'n', V: ['v'] }] }],
    ['S.A=a&S.B.C=c', { S: { A: 'a', B: { C: 'c' } } }],
    ['Tags=', { Tags: '' }],
    ['A=\ufeff', { A: '\ufeff' }],
  ]
  for (const [form, expected] of table) assert.deepEqual(members(form), expected, form)
  const odd = members('__proto__=a&constructor.member.1=b')
  assert.deepEqual(Object.entries(odd ?? {}), [
    ['__proto__', 'a'],
    ['constructor', ['b']],
  ])
})

test('refuses what means two things, or nothing', () => {
  const table: [form: string, message: string][] = [
    ['A=b&A=b', 'the request has a member twice'],
    ['A=b&%41=b', 'the request has a member twice'],
    ['A=b&A.c=d', 'the request has a member twice'],
    ['A.c=d&A=b', 'the request has a member twice'],
    ['A.member.1=b&A.member.1=c', 'the request has a member twice'],
    ['A=&A.member.1=b', 'the request has a member twice'],
    ['A.member.1=b&A.c=d', 'a list of the request has something beside its members'],
    ['A.member=b', 'a list of the request has something beside its members'],
    ['A.member.0=b', 'the members of a list are numbered from 1'],
    ['A.member.01=b', 'the members of a list are numbered from 1'],
    ['A.member.x=b', 'the members of a list are numbered from 1'],
    ['A.member.1234567890=b', 'the members of a list are numbered from 1'],
    [`A${'.a'.repeat(10)}=b`, 'a parameter of the request is nested too deeply'],
    ['A=%', 'a parameter of the request is not well encoded'],
    ['A=%ff', 'a parameter of the request is not well encoded'],
    ['%zz=a', 'a parameter of the request is not well encoded'],
    ['a&'.repeat(10_000), 'the request has more than 10000 parameters'],
  ]
  for (const [form, message] of table) {
    assert.throws(
      () => members(form),
      { exceptionName: 'SerializationException', message },
      form.slice(0, 40),
    )
  }
  assert.equal(table.length, 17)
  assert.throws(() => formPairs(Buffer.from([0x41, 0x3d, 0xff])), { message: 'the request is not UTF-8' })
  members(`A${'.a'.repeat(9)}=b`)
})

test('takes a policy of 131,072 characters that are all encoded, and linear time', () => {
  const policy = 'é'.repeat(131_072)
  const body = Buffer.from(`PolicyDocument=${encodeURIComponent(policy)}`)
  assert.ok(body.length < 1024 * 1024)
  assert.deepEqual(formMembers(formPairs(body)), { PolicyDocument: policy })
  const time = (form: string): number => {
    const times = Array.from({ length: 5 }, () => {
      const start = performance.now()
      members(form)
      return performance.now() - start
    })
    return Math.min(...times)
  }
  const many = (count: number): string =>
    Array.from({ length: count }, (_, n) => `T.member.${n + 1}.Key=${'%41'.repeat(20)}`).join('&')
  assert.ok(time(many(8000)) < 30 * time(many(800)) + 5)
})

test('has types for what comes as text', () => {
  const schema = z.object({
    Tags: formList(z.object({ Key: z.string() })).optional(),
    MaxItems: formInteger.pipe(z.int().min(1).max(1000)).default(100),
    OnlyAttached: formBoolean.default(false),
  })
  const parse = (form: string): unknown => parseMembers(schema, formMembers(formPairs(Buffer.from(form))))
  assert.deepEqual(parse(''), { MaxItems: 100, OnlyAttached: false })
  assert.deepEqual(parse('Tags=&MaxItems=7&OnlyAttached=true'), { Tags: [], MaxItems: 7, OnlyAttached: true })
  assert.deepEqual(parse('Tags.member.1.Key=a'), { Tags: [{ Key: 'a' }], MaxItems: 100, OnlyAttached: false })
  const refused: [form: string, exceptionName: string, message: RegExp][] = [
    ['MaxItems=0', 'ValidationException', /at 'maxItems' .*value greater than or equal to 1/],
    ['MaxItems=1e3', 'ValidationException', /at 'maxItems' .*regular expression pattern/],
    ['MaxItems=', 'ValidationException', /at 'maxItems'/],
    ['OnlyAttached=yes', 'ValidationException', /at 'onlyAttached' .*enum value set: \[true, false\]/],
    ['Tags=a', 'SerializationException', /'tags' must be an array/],
    ['Tags.member.1.Value=a', 'ValidationException', /Value null at 'tags.1.member.key'.*must not be null/],
  ]
  for (const [form, exceptionName, message] of refused) {
    assert.throws(() => parse(form), { exceptionName, message }, form)
  }
})
