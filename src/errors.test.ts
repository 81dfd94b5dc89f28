import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { errorCodes, messageOf, StrongroomError } from './errors.ts'

const root = join(import.meta.dirname, '..')

test('docs/errors.md has a section for every code, in the order of the list, and no other', () => {
  const text = readFileSync(join(root, 'docs/errors.md'), 'utf8')
  const sections = [...text.matchAll(/^## (\S+)$/gm)].map(([, code]) => code)
  assert.deepEqual(sections, Object.keys(errorCodes))
})

test('every code is used, and none is used that the list has not', () => {
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && file !== 'errors.ts')
    .map((file) => readFileSync(join(root, 'src', file), 'utf8'))
  const used = new Set(
    sources.flatMap((source) => [...source.matchAll(/\bSR_[A-Z_]*[A-Z]\b/g)].map(([code]) => code)),
  )
  assert.deepEqual([...used].sort(), Object.keys(errorCodes).sort())
})

test('K6: what a parser read, and what a program was told and said, is not quoted, of a cause neither', () => {
  const parser = new SyntaxError(`Unexpected token 's', ..."sKey": secret}" is not valid JSON`)
  const program = new Error('Command failed: vault --key secret\nsecret')
  for (const cause of [parser, program]) {
    const error = new StrongroomError('SR_KMS_CREDENTIALS', 'no credentials', { cause })
    for (const text of [messageOf(cause), messageOf(error)]) assert.ok(!text.includes('secret'), text)
  }
  assert.equal(messageOf(new Error('a', { cause: new Error('b') })), 'a: b')
})
