import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { iniSections } from '../ini-file.ts'
import { withOptions, withoutSection } from './ini-edit.ts'

const present = `; ours
[agent]
log-level = debug   ; for now

[keyring other]
# not to be touched
store = directory:/srv/other

[keyring mariadb]
; where it lies
store = directory:/var/lib/mysql
region=eu-central-1
`

test('an option that is right stays as it is written; one that is not changes in its place', () => {
  assert.equal(
    withOptions(present, 'keyring mariadb', { store: 'directory:/data', region: 'eu-central-1' }),
    present.replace('store = directory:/var/lib/mysql', 'store = directory:/data'),
  )
  assert.equal(withOptions(present, 'agent', { 'log-level': 'debug' }), present)
})

test('the comment behind a changed option stays', () => {
  assert.equal(
    withOptions(present, 'agent', { 'log-level': 'info' }),
    present.replace('debug   ;', 'info   ;'),
  )
})

test('what is new comes to the end of its section, before the empty line', () => {
  assert.equal(
    withOptions(present, 'agent', { 'admin-socket': '/run/s' }),
    present.replace('for now\n', 'for now\nadmin-socket = /run/s\n'),
  )
})

test('a new section comes to the end of the file, and nothing makes none', () => {
  assert.equal(
    withOptions(present, 'vault-listener', { listen: '127.0.0.1:1' }),
    `${present}\n[vault-listener]\nlisten = 127.0.0.1:1\n`,
  )
  assert.equal(withOptions(present, 'vault-listener', { listen: undefined }), present)
  assert.equal(withOptions('', 'a', { b: 'c' }), '[a]\nb = c\n')
})

test('an option that must not be there goes, every time that it stands there', () => {
  const twice = '[a]\nx = 1\ny = 2\nx = 3\n'
  assert.equal(withOptions(twice, 'a', { x: undefined }), '[a]\ny = 2\n')
  assert.equal(withOptions(twice, 'a', { x: '4' }), '[a]\nx = 4\ny = 2\n')
})

test('what such a file can not hold is refused', () => {
  assert.throws(() => withOptions(present, 'agent', { x: 'a line\u2028separator' }), { code: 'SR_USAGE' })
})

test('a section that is there twice is refused: the later one would undo what is set', () => {
  for (const edit of [
    () => withOptions(`${present}[agent]\n`, 'agent', { x: 'y' }),
    () => withoutSection('[a]\n[b]\n[ a ]\n', 'a'),
  ])
    assert.throws(edit, { code: 'SR_CONFIG_INVALID', message: /more than once/ })
})

test('a section goes with all that is in it', () => {
  assert.equal(withoutSection(present, 'keyring other'), present.replace(/\[keyring other\][^[]*/, ''))
  assert.equal(withoutSection(present, 'none'), present)
})

test('whatever is set is read back, and every other option as before', () => {
  const value = fc.stringMatching(/^[\x21-\x7e]([\x20-\x7e]{0,20}[\x21-\x7e])?$/)
  const name = fc.constantFrom('store', 'region', 'master-key-id', 'endpoint-url', 'log-level')
  const section = fc.constantFrom('agent', 'keyring other', 'keyring mariadb', 'vault-listener')
  fc.assert(
    fc.property(section, fc.dictionary(name, value, { maxKeys: 4 }), (where, wishes) => {
      const before = iniSections(present, 'before')
      const after = iniSections(withOptions(present, where, wishes), 'after')
      const expected = new Map(before)
      if (Object.keys(wishes).length > 0) expected.set(where, { ...before.get(where), ...wishes })
      assert.deepEqual(after, expected)
      assert.equal(
        withOptions(withOptions(present, where, wishes), where, wishes),
        withOptions(present, where, wishes),
      )
    }),
  )
})
