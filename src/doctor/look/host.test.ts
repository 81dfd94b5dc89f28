import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSeen } from '../looked.ts'
import { lookAtHost, lookAtMemoryOf } from './host.ts'

test('this process and this host', () => {
  const memory = lookAtMemoryOf(process.pid)
  assert.ok(isSeen(memory))
  assert.match(memory.seen.coreLimit, /^(\d+|unlimited)$/)
  assert.equal(memory.seen.commandLine[0], process.argv0)
  assert.ok(isSeen(lookAtHost()))
})

test('a process that is not there', () => {
  assert.match(JSON.stringify(lookAtMemoryOf(undefined)), /^\{"unseen"/)
  assert.match(JSON.stringify(lookAtMemoryOf(2 ** 22 + 1)), /^\{"unseen"/)
})
