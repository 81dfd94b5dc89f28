import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RecordingLog } from '../../test/support/recording-log.ts'
import { type ErrorCode, StrongroomError } from '../errors.ts'
import type { Trouble } from './trouble.ts'
import { longestPauseFor, Waiting, waitingFor } from './waiting.ts'

const masterKey = 'arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'
const trouble = (code: ErrorCode): Trouble => ({
  name: { keyId: 1, version: 1 },
  error: new StrongroomError(code, 'as it says'),
  masterKey,
})

test('a window of a minute is not slept through', () => {
  assert.equal(longestPauseFor([trouble('SR_MASTER_KEY_DISABLED')]), 5000)
  assert.equal(longestPauseFor([trouble('SR_KMS_UNREACHABLE'), trouble('SR_MASTER_KEY_DISABLED')]), 5000)
  assert.equal(longestPauseFor([trouble('SR_KMS_ACCESS_DENIED')]), 5000)
  assert.equal(longestPauseFor([trouble('SR_KMS_UNREACHABLE')]), 15_000)
})

test('who is denied many keys makes no storm of calls', () => {
  assert.equal(longestPauseFor(Array.from({ length: 11 }, () => trouble('SR_KMS_ACCESS_DENIED'))), 15_000)
})

test('it says in a line what it waits for', () => {
  assert.equal(
    waitingFor([trouble('SR_MASTER_KEY_DISABLED'), trouble('SR_MASTER_KEY_DISABLED')]),
    `waiting for master key ${masterKey} to be enabled`,
  )
  assert.equal(
    waitingFor([trouble('SR_KMS_UNREACHABLE')]),
    'waiting: the KMS does not answer [SR_KMS_UNREACHABLE]',
  )
})

test('it names a few master keys', () => {
  const troubles = Array.from({ length: 5 }, (_, n) => ({
    ...trouble('SR_MASTER_KEY_DISABLED'),
    masterKey: `key/${n}`,
  }))
  assert.equal(waitingFor(troubles), 'waiting for master key key/0, key/1, key/2 and 2 more to be enabled')
})

test('each try is shown, and of many the log has a few', () => {
  const log = new RecordingLog()
  const shown: (string | undefined)[] = []
  const waiting = new Waiting(log, (status) => shown.push(status))
  const troubles = [trouble('SR_MASTER_KEY_DISABLED')]
  for (let n = 0; n < 100; n++) waiting.retryIn(4100, troubles, true)
  waiting.retryIn(250, troubles, false)
  waiting.over()
  assert.equal(shown.length, 102)
  assert.equal(shown[0], `waiting for master key ${masterKey} to be enabled; next try in 5 s`)
  assert.equal(shown.at(-1), undefined)
  assert.deepEqual(
    log.messages(),
    Array.from({ length: 8 }, () => `not ready, ${waitingFor(troubles)}; next try in 4100 ms`),
  )
})
