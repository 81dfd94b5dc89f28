import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { scratchDirectory } from '../support/scratch.ts'
import { strongroom } from '../support/strongroom.ts'

/*
 * Each .txt file here is a transcript: `$ strongroom …` is run in a scratch folder, `> ` is a line of its stdout, `! ` one of its
 * stderr, `exit N` its exit code (0 when left out). `$DIR` stands for the folder, `…` at a line's end for any rest.
 * `--- NAME ---` begins a file of that folder. Lines with `#` are remarks.
 */
const transcripts = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.txt'))

for (const name of transcripts) {
  test(`transcript ${name}`, async (t) => {
    const directory = scratchDirectory(t)
    const [script = '', ...files] = readFileSync(join(import.meta.dirname, name), 'utf8').split(
      /^--- (?=.+ ---$)/m,
    )
    for (const file of files) {
      const [, fileName = '', text = ''] = /^(.+) ---\n([^]*)$/.exec(file) ?? []
      writeFileSync(join(directory, fileName), text, { mode: 0o600 })
    }
    const commands = script.split(/^\$ strongroom ?/m).slice(1)
    assert.ok(commands.length > 0, 'it has commands')
    for (const command of commands) await check(command, directory)
  })
}

test('there are transcripts', () => {
  assert.equal(transcripts.length, 3)
})

async function check(command: string, directory: string): Promise<void> {
  const [words = '', ...lines] = command.replaceAll('$DIR', directory).split('\n')
  const run = await strongroom(words.split(' ').filter((word) => word !== ''))
  const expected = (mark: string) =>
    lines.filter((line) => line.startsWith(mark)).map((line) => line.slice(2))
  compare(run.stdout, expected('> '), `stdout of: strongroom ${words}`)
  compare(run.stderr, expected('! '), `stderr of: strongroom ${words}`)
  const exit = Number(lines.find((line) => line.startsWith('exit '))?.slice(5) ?? 0)
  assert.equal(run.code, exit, `exit code of: strongroom ${words}`)
}

function compare(text: string, expected: readonly string[], what: string): void {
  const seen = text.split('\n').slice(0, -1)
  const shortened = seen.map((line, index) => {
    const wanted = expected[index]
    const begin = wanted?.endsWith('…') === true ? wanted.slice(0, -1) : undefined
    return begin !== undefined && line.startsWith(begin) ? wanted : line
  })
  assert.deepEqual(shortened, expected, what)
}
