import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { compile, sanitizing } from '../../scripts/build-plugin.ts'
import { frameVectors } from '../support/frame-vectors.ts'

const { good, malformed } = frameVectors()
const fromAgent = good.filter((vector) => vector.from === 'agent')

let scratch: string
let program: string

before(() => {
  scratch = mkdtempSync(join(tmpdir(), 'strongroom-vectors-'))
  program = join(scratch, 'vectors')
  compile([...sanitizing(), 'vectors.c', '-o', program])
})

after(() => {
  rmSync(scratch, { recursive: true, force: true })
})

test('the plugin reads every frame of an agent as the vectors say, and what follows it is no part of it', () => {
  assert.ok(fromAgent.length >= 20)
  const wanted = fromAgent.map((vector) => {
    const { flags, request, keyId, version, payload, frame } = vector
    const numbers = [frame.length / 2, parseInt(frame.slice(0, 2), 16), flags, request, keyId, version]
    return `${numbers.join(' ')} ${payload || '-'}`
  })
  assert.deepEqual(answers(fromAgent.map(({ frame }) => `read ${frame}`)), wanted)
  assert.deepEqual(answers(fromAgent.map(({ frame }) => `read ${frame}ff00`)), wanted)
})

test('of a frame that is not whole yet it waits for the rest, wherever it is cut', () => {
  for (const { frame, name } of fromAgent) {
    const whole = frame.length / 2
    const counts = Array.from({ length: whole }, (_, count) => count).filter(
      (count) => count < 100 || count > whole - 20,
    )
    const said = answers(counts.map((count) => `read ${frame.slice(0, 2 * count) || '-'}`))
    assert.deepEqual([...new Set(said)], ['more'], name)
  }
})

test('it refuses what no agent may send: malformed frames, and those of a plugin', () => {
  // Two of the malformed frames are only so because a plugin sends them.
  const isFromAgent = (frame: string) => /^8[1-6]/.test(frame)
  const others = [...malformed, ...good].filter(
    ({ from, frame }) =>
      !isFromAgent(frame) || (from === 'agent' && !fromAgent.some((one) => one.frame === frame)),
  )
  assert.ok(others.length >= 80)
  const said = answers(others.map(({ frame }) => `read ${frame}`))
  assert.deepEqual(
    others.filter((_, index) => said[index] !== 'refused').map(({ name }) => name),
    [],
  )
})

test('it writes the bytes of every vector', () => {
  const questions = good.map(({ flags, request, keyId, version, payload, frame }) =>
    ['write', parseInt(frame.slice(0, 2), 16), flags, request, keyId, version, payload || '-'].join(' '),
  )
  assert.deepEqual(
    answers(questions),
    good.map(({ frame }) => frame),
  )
})

function answers(questions: readonly string[]): string[] {
  const run = spawnSync(program, { input: questions.join('\n'), encoding: 'utf8' })
  assert.deepEqual([run.status, run.stderr], [0, ''])
  const lines = run.stdout.trimEnd().split('\n')
  assert.equal(lines.length, questions.length)
  return lines
}
