import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { z } from 'zod'
import { builtPlugin } from '../support/built-plugin.ts'
import { program, strongroom } from '../support/strongroom.ts'

test('strongroom demo: all holds, plain lines in a pipe, nothing left behind', async () => {
  const { code, stdout, stderr } = await strongroom(['demo'])
  assert.equal(code, 0, stdout + stderr)
  assert.equal(stderr, '')
  assert.match(stdout, /All of it held\.\n$/)
  assert.equal([...stdout.matchAll(/ {2}held {2,}\d+\.\d s$/gm)].length, 13)
  assert.ok(!stdout.includes('\u001b') && !stdout.includes('\r'))
  assert.match(stdout, /wait: master key arn:aws:kms:\S+ is disabled; enable it in the KMS/)
  assert.equal(existsSync(directoryOf(stdout)), false)
  assert.deepEqual(processesOf(directoryOf(stdout)), [])
})

test('strongroom demo --keep leaves it running, and its stop script ends it; the server may use our plugin', async () => {
  const { code, stdout } = await strongroom(['demo', '--keep', '--plugin', builtPlugin()])
  const directory = directoryOf(stdout)
  try {
    assert.equal(code, 0, stdout)
    const [, socket = ''] = /--socket=(\S+)/.exec(stdout) ?? []
    const rows = execFileSync('mariadb', [
      '--no-defaults',
      `--socket=${socket}`,
      '--user=root',
      '--skip-column-names',
      '--batch',
      '--execute=SELECT COUNT(*) FROM demo.salaries',
    ])
    assert.equal(rows.toString(), '2\n')
    assert.equal(processesOf(directory).length, 3)
  } finally {
    execFileSync(`${directory}/stop`)
  }
  assert.equal(existsSync(directory), false)
  assert.deepEqual(processesOf(directory), [])
})

for (const moment of ['In ', '✔  2/13', '✔  3/13', '✔ 10/13']) {
  test(`strongroom demo interrupted after "${moment}": nothing left behind`, async () => {
    const demo = spawn(program, ['demo'], { stdio: ['ignore', 'pipe', 'ignore'] })
    const exited = once(demo, 'exit')
    let stdout = ''
    demo.stdout.setEncoding('utf8').on('data', (text: string) => {
      const before = stdout.includes(moment)
      stdout += text
      if (!before && stdout.includes(moment)) demo.kill('SIGINT')
    })
    const [code] = z.tuple([z.number(), z.null()]).parse(await exited)
    assert.equal(code, 1)
    assert.match(directoryOf(stdout), /^\//)
    assert.equal(existsSync(directoryOf(stdout)), false)
    assert.deepEqual(processesOf(directoryOf(stdout)), [])
  })
}

function directoryOf(stdout: string): string {
  return /^In (\S+):$/m.exec(stdout)?.[1] ?? 'not told'
}

/** Processes whose command line names the directory. */
function processesOf(directory: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
        return command.includes(directory) ? [command] : []
      } catch {
        return []
      }
    })
}
