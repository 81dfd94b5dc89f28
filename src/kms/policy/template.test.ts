import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Effort } from './effort.ts'
import { matches } from './pattern.ts'
import { readTemplate } from './template.ts'

const values: Readonly<Record<string, string>> = {
  'aws:username': 'alice',
  'aws:principaltag/team': '*',
  'aws:principaltag/dollar': '${aws:username}',
  'kms:encryptioncontext:app': 'a?b',
}

function fits(text: string, value: string, reading = { variables: true, wildcards: true }): boolean {
  const request = { valueOf: (key: string) => values[key], effort: new Effort() }
  const pattern = readTemplate(text, reading).fill(request)
  return pattern !== undefined && matches(pattern, value, request.effort)
}

test('variables', () => {
  const table: [text: string, value: string, fits: boolean][] = [
    ['${aws:username}', 'alice', true],
    ['${AWS:UserName}', 'alice', true],
    ['home/${aws:username}/*', 'home/alice/x', true],
    ['home/${aws:username}/*', 'home/bob/x', false],
    // What comes out of a variable is text, whatever it looks like.
    ['${aws:PrincipalTag/team}', '*', true],
    ['${aws:PrincipalTag/team}', 'anything', false],
    ['${aws:PrincipalTag/dollar}', '${aws:username}', true],
    ['${aws:PrincipalTag/dollar}', 'alice', false],
    ['${kms:EncryptionContext:App}*', 'a?bc', true],
    ['${kms:EncryptionContext:App}*', 'axbc', false],
    ['x${*}y', 'x*y', true],
    ['x${*}y', 'xzy', false],
    ['x${?}y', 'x?y', true],
    ['x${?}y', 'xzy', false],
    ['x${$}{aws:username}', 'x${aws:username}', true],
    ['x$y', 'x$y', true],
    ["${aws:PrincipalTag/none, 'plain'}", 'plain', true],
    ["${aws:PrincipalTag/none,'*'}", '*', true],
    ["${aws:PrincipalTag/none,'*'}", 'plain', false],
    ["${aws:PrincipalTag/none, ''}", '', true],
    ["${aws:username, 'plain'}", 'alice', true],
    // Without a value, nothing fits.
    ['${aws:PrincipalTag/none}', '', false],
    ['${aws:PrincipalTag/none}', '${aws:PrincipalTag/none}', false],
    ['*${aws:PrincipalTag/none}*', 'anything', false],
  ]
  for (const [text, value, expected] of table) assert.equal(fits(text, value), expected, `${text} ${value}`)
  assert.equal(table.length, 24)
})

test('the older version of the language has no variables, and exact operators have no wildcards', () => {
  const old = { variables: false, wildcards: true }
  assert.equal(fits('${aws:username}', 'alice', old), false)
  assert.equal(fits('${aws:username}', '${aws:username}', old), true)
  assert.equal(fits('${*}', '${anything}', old), true)
  const exact = { variables: true, wildcards: false }
  assert.equal(fits('a*', 'ab', exact), false)
  assert.equal(fits('a*${aws:username}?', 'a*alice?', exact), true)
})

test('variables that can have no value are refused', () => {
  const refused = [
    '${aws:username',
    '${}',
    '${ }',
    '${aws:user name}',
    '${ aws:username }',
    '${aws:username, plain}',
    "${aws:username, 'plain}",
    "${aws:username 'plain'}",
    '${**}',
    "${aws:username, '}'}",
    '${aws:nothing}',
    '${aws:PrincipalTag/}',
    '${${aws:username}}',
    '${aws:TagKeys}',
    '${kms:ResourceAliases}',
  ]
  for (const text of refused) {
    assert.throws(
      () => readTemplate(text, { variables: true, wildcards: true }),
      { exceptionName: 'MalformedPolicyDocumentException' },
      text,
    )
  }
  assert.equal(refused.length, 15)
})
