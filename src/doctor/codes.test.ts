import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { findingCodes } from './codes.ts'

const root = join(import.meta.dirname, '../..')
const codes = Object.entries(findingCodes)

test('docs/doctor.md has a section for every code, in the order of the list, with its severity, and no other', () => {
  const text = readFileSync(join(root, 'docs/doctor.md'), 'utf8')
  const sections = [...text.matchAll(/^### (SRD_\S+)\n(\w+)\. /gm)].map(([, code, severity]) => [
    code,
    severity?.toLowerCase(),
  ])
  assert.deepEqual(sections, codes)
  assert.equal([...text.matchAll(/^### /gm)].length, codes.length)
})

test('every code is found by a check, and none is found that the list has not', () => {
  const isSource = (file: string) => !file.endsWith('.test.ts') && file !== 'src/doctor/codes.ts'
  assert.deepEqual(codesIn(filesIn('src/doctor').filter(isSource)), Object.keys(findingCodes).sort())
})

test('every code has a test that names it, and no test names another', () => {
  const tests = [...filesIn('src/doctor'), ...filesIn('test/e2e')].filter((file) => file.endsWith('.test.ts'))
  assert.deepEqual(codesIn(tests), Object.keys(findingCodes).sort())
})

function codesIn(files: readonly string[]): string[] {
  const texts = files.map((file) => readFileSync(join(root, file), 'utf8'))
  return [
    ...new Set(texts.flatMap((text) => [...text.matchAll(/'(SRD_[A-Z_]*[A-Z])'/g)].map(([, code]) => code))),
  ]
    .filter((code) => code !== undefined)
    .sort()
}

function filesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(folder, file))
}
