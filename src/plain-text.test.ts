import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inLines, inOneLine } from './plain-text.ts'

const evil = 'a\u001b[2J\nno finding\r\u009b1A\u202e\u2028\u{e0041}\tb é😀'

test('nothing of it moves a cursor, begins a line or turns letters round', () => {
  assert.equal(
    inOneLine(evil),
    'a\\u001b[2J\\u000ano finding\\u000d\\u009b1A\\u202e\\u2028\\udb40\\udc41\\u0009b é😀',
  )
})

test('line breaks and tabs stay where lines may be', () => {
  assert.equal(inLines(evil), 'a\\u001b[2J\nno finding\\u000d\\u009b1A\\u202e\\u2028\\udb40\\udc41\tb é😀')
})

test('JSON stays what it was', () => {
  const value = { evil }
  assert.deepEqual(JSON.parse(inLines(JSON.stringify(value))), value)
})
