import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerBehind } from './sdk-answer.ts'

const errorWith = ($metadata: unknown) => Object.assign(new Error('no'), { $metadata })
const nothing = { status: undefined, requestId: undefined }

test('what the SDK says of an answer is read', () => {
  const answer = { httpStatusCode: 400, requestId: 'r-1', attempts: 1 }
  assert.deepEqual(answerBehind(errorWith(answer)), { status: 400, requestId: 'r-1' })
  assert.deepEqual(answerBehind(errorWith({ attempts: 3 })), nothing)
})

test('what is no such error has no answer', () => {
  for (const error of [new Error('ECONNRESET'), 'text', undefined, { $metadata: { httpStatusCode: 400 } }])
    assert.deepEqual(answerBehind(error), nothing)
  for (const metadata of [null, 'text', { httpStatusCode: '400', requestId: 7 }])
    assert.deepEqual(answerBehind(errorWith(metadata)), nothing)
})
