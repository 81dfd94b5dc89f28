import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import {
  type AgentFrame,
  encodeFrame,
  FrameReader,
  headerLength,
  type PluginFrame,
  readHeader,
} from './plugin-frames.ts'

const sender = z.enum(['plugin', 'agent'])
const vectorsSchema = z.strictObject({
  good: z.array(
    z.strictObject({
      name: z.string(),
      from: sender,
      type: z.string(),
      flags: z.number(),
      request: z.number(),
      keyId: z.number(),
      version: z.number(),
      payload: z.string(),
      frame: z.string(),
    }),
  ),
  malformed: z.array(z.strictObject({ name: z.string(), from: sender, frame: z.string() })),
})

const file = join(import.meta.dirname, '../../../test/vectors/plugin-frames.json')
const { good, malformed } = vectorsSchema.parse(JSON.parse(readFileSync(file, 'utf8')))

function readAll(from: 'plugin' | 'agent', chunks: readonly Buffer[]): (PluginFrame | AgentFrame)[] {
  const reader = from === 'plugin' ? FrameReader.fromPlugin() : FrameReader.fromAgent()
  const frames = chunks.flatMap((chunk) => [...reader.read(chunk)])
  assert.equal(reader.isWithinFrame, false)
  return frames
}

function bytesOf(hex: string): Buffer {
  return Buffer.from(hex, 'hex')
}

test('there are vectors of every type', () => {
  assert.equal(new Set(good.map(({ type }) => type)).size, 10)
  assert.ok(good.length >= 30 && malformed.length >= 70)
})

for (const { name, from, frame, type, payload, ...numbers } of good) {
  test(`reads and writes: ${name}`, () => {
    const bytes = bytesOf(frame)
    const { type: number, length, ...header } = readHeader(bytes)
    assert.deepEqual(header, numbers)
    assert.equal(number >= 0x80, from === 'agent')
    assert.equal(length * 2, payload.length)
    assert.equal(bytes.toString('hex', headerLength), payload)

    const [read, ...more] = readAll(from, [bytes])
    assert.ok(read !== undefined && more.length === 0)
    assert.equal(read.type, type)
    assert.equal(encodeFrame(read).toString('hex'), frame)
  })
}

for (const { name, from, frame } of malformed) {
  test(`refuses from the ${from}: ${name}`, () => {
    assert.throws(() => readAll(from, [bytesOf(frame)]), { code: 'SR_PLUGIN_PROTOCOL' })
  })
}

test('takes frames as they come: byte by byte, cut anywhere, many at once', () => {
  for (const from of ['plugin', 'agent'] as const) {
    const frames = good.filter((vector) => vector.from === from).map(({ frame }) => frame)
    const stream = bytesOf(frames.join(''))
    const written = (chunks: readonly Buffer[]) =>
      readAll(from, chunks).map((frame) => encodeFrame(frame).toString('hex'))
    assert.deepEqual(written([stream]), frames)
    for (const size of [1, 15, 16, 17, 4095, 4112]) {
      const count = Math.ceil(stream.length / size)
      const chunks = Array.from({ length: count }, (_, index) =>
        stream.subarray(index * size, (index + 1) * size),
      )
      assert.deepEqual(written(chunks), frames)
    }
  }
})

test('whatever bytes come, a frame that is read is written as the same bytes', () => {
  const header = fc.tuple(
    fc.constantFrom(0, 1, 2, 3, 4, 5, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0xff),
    fc.oneof(fc.constant(0), fc.nat(255)),
    fc.constantFrom(0, 4, 16, 32, 4096, 4097),
  )
  const numbers = fc.array(fc.constantFrom(0, 1, 2, 4294967293, 4294967295), { minLength: 3, maxLength: 3 })
  fc.assert(
    fc.property(header, numbers, fc.uint8Array({ maxLength: 40 }), (start, three, rest) => {
      const bytes = Buffer.alloc(headerLength + rest.length)
      const [type, flags, length] = start
      bytes.writeUInt8(type, 0)
      bytes.writeUInt8(flags, 1)
      bytes.writeUInt16BE(length, 2)
      three.forEach((number, index) => bytes.writeUInt32BE(number, 4 + 4 * index))
      bytes.set(rest, headerLength)
      for (const reader of [FrameReader.fromPlugin(), FrameReader.fromAgent()]) {
        let at = 0
        try {
          for (const frame of reader.read(bytes)) {
            const written = encodeFrame(frame)
            assert.deepEqual(written, bytes.subarray(at, at + written.length))
            at += written.length
          }
        } catch (error) {
          assert.ok(error instanceof Error && 'code' in error)
          assert.equal(error.code, 'SR_PLUGIN_PROTOCOL')
        }
      }
    }),
  )
})

test('a text that is too long ends before a character that does not fit', () => {
  const text = `${'x'.repeat(4095)}é`
  const [frame] = readAll('agent', [encodeFrame({ type: 'refused', text })])
  assert.deepEqual(frame, { type: 'refused', text: 'x'.repeat(4095) })
})

test('K6: what holds a key lies in memory of its own, so that it can be zeroed', () => {
  const bytes = Buffer.alloc(32, 7)
  const frame = encodeFrame({
    ...{ type: 'key', request: 1, keyId: 1, version: 1, isLatest: true, isGenerated: false, bytes },
  })
  assert.equal(frame.buffer.byteLength, frame.length)
})
