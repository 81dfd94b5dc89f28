import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '../..')
const text = readFileSync(join(root, 'docs/threat-model.md'), 'utf8')

test('every cell of the threat model names a test or a reason, and all of those are there and used', () => {
  const rows = tableOf('The table')
  assert.equal(rows.length, 16)
  const named = rows.flatMap(([who = '', ...cells]) => {
    assert.equal(cells.length, 6, who)
    return cells.flatMap((cell) => {
      const references = cell.match(/\b[TR]\d+\b/g) ?? []
      assert.ok(references.length > 0, `${who}: ${cell}`)
      return references
    })
  })
  const defined = [...tableOf('Tests'), ...tableOf('Reasons')].map(([reference = '']) => reference)
  assert.equal(new Set(defined).size, defined.length)
  assert.deepEqual([...new Set(named)].sort(), [...defined].sort())
})

test('every test that the threat model names is in its file', () => {
  const tests = tableOf('Tests')
  assert.ok(tests.length > 25)
  for (const [reference, title = '', file = ''] of tests) {
    const source = readFileSync(join(root, file.replaceAll('`', '')), 'utf8')
    const isThere = ["'", '"', '`'].some((quote) => source.includes(`${quote}${title}${quote}`))
    assert.ok(isThere, `${reference ?? ''}: ${file} has no test ${title}`)
  }
})

/** The cells of the rows below the head of the table in a section. */
function tableOf(section: string): string[][] {
  const [, part = ''] = text.split(`\n## ${section}\n`)
  const [body = ''] = part.split('\n## ')
  const [, , ...rows] = body.split('\n').filter((line) => line.startsWith('|'))
  return rows.map((row) =>
    row
      .slice(1, -1)
      .split(' | ')
      .map((cell) => cell.replace(/^\s+|\s+$/g, '')),
  )
}
