import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { iamOperations } from './index.ts'

test('the documentation lists the operations that there are, each once', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../../docs/kms-iam.md'), 'utf8')
  const [, offered = ''] = /## What is offered\n(.*?)\n## /s.exec(page) ?? []
  const documented = offered
    .split('\n')
    .filter((line) => /^\| [a-zA-Z ]+ \| [A-Z]/.test(line))
    .flatMap((line) => line.split('|')[2]?.split(',') ?? [])
    .map((name) => name.trim())
  assert.deepEqual(documented.sort(), iamOperations.map(({ name }) => name).sort())
})
