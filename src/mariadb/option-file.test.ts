import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { renderOptionFile } from './option-file.ts'

const scratch = mkdtempSync(join(tmpdir(), 'strongroom-option-file-'))
after(() => {
  rmSync(scratch, { recursive: true })
})

test('groups, values and options without one', () => {
  assert.equal(
    renderOptionFile({
      client: { socket: '/run/a b.sock' },
      mariadbd: { 'skip-networking': true, port: '3306' },
    }),
    '[client]\nsocket = "/run/a b.sock"\n\n[mariadbd]\nskip-networking\nport = "3306"\n',
  )
})

test('edges come back as they went in', () => {
  const values = [
    '',
    ' ',
    ' a ',
    '#a',
    'a # b',
    '"',
    "'",
    "'a'",
    '"a"',
    '\\',
    '\\n',
    'a\\',
    '\n',
    '\t',
    '\r\n',
    '\b',
  ]
  for (const value of values) assert.equal(readBack(value), value, JSON.stringify(value))
})

test('round trip: whatever is rendered, my_print_defaults reads', () => {
  const value = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.stringMatching(/^[\\"'#\s\]a]*$/))
  fc.assert(
    fc.property(value, (text) => {
      fc.pre(!text.includes('\0'))
      assert.equal(readBack(text), text)
    }),
  )
})

test('what an option file cannot hold is refused, without the value', () => {
  assert.throws(() => renderOptionFile({ mariadbd: { 'vault-token': 's3cret\0' } }), {
    code: 'SR_MARIADB_OPTION',
    message: 'the value of option vault-token holds a NUL character',
  })
  assert.throws(
    () => renderOptionFile({ mariadbd: { token: 'x'.repeat(4096) } }),
    /longer than MariaDB reads/,
  )
  for (const name of ['', '!include /x', 'a\nb', 'a=b', '#a', '[a]'])
    assert.throws(() => renderOptionFile({ mariadbd: { [name]: '1' } }), { code: 'SR_MARIADB_OPTION' })
  assert.throws(() => renderOptionFile({ 'a]\n[b': {} }), { code: 'SR_MARIADB_OPTION' })
})

function readBack(value: string): string {
  const file = join(scratch, 'round-trip.cnf')
  writeFileSync(file, renderOptionFile({ mariadbd: { probe: value } }))
  const { stdout } = spawnSync('my_print_defaults', [`--defaults-file=${file}`, 'mariadbd'], {
    encoding: 'utf8',
  })
  assert.match(stdout, /^--probe=[^]*\n$/)
  return stdout.slice('--probe='.length, -1)
}
