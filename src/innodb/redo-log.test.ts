import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { scratchDirectory } from '../../test/support/scratch.ts'
import { crc32c } from './checksum.ts'
import { readRedoLog } from './redo-log.ts'

/** Measured are the two formats from 10.8 on, by end-to-end tests; those before are made by hand after MariaDB's source. */
const formats = { v104: 104, v105: 0x50485953, v108: 0x50687973, v108Encrypted: 0xf09f979d } as const
const encryptedBit = 0x80000000

test('10.8 and later: the version in the header is asked for', async (t) => {
  for (const format of [formats.v108, formats.v108Encrypted]) {
    const log = await read(t, [header(format, { keyId: 1, keyVersion: 7 })])
    assert.deepEqual([log.state, log.keyVersions], ['encrypted', [7]])
  }
  const plain = await read(t, [header(formats.v108)])
  assert.deepEqual([plain.state, plain.keyVersions], ['plain', []])
})

test('10.4 and 10.5 in the clear', async (t) => {
  for (const format of [formats.v104, formats.v105])
    assert.equal((await read(t, [header(format), Buffer.alloc(2048)])).state, 'plain')
})

for (const format of [formats.v104, formats.v105]) {
  const encrypted = header(format + encryptedBit)
  const begin = 1_000_000 * 512
  const block = (at: number, keyVersion: number) => logBlock(1_000_001 + at, keyVersion)

  test(`format ${format}: the versions of the newer checkpoint, and of the blocks from there on`, async (t) => {
    const checkpoints = [
      checkpoint({ number: 8, lsn: begin + 700, offset: 2048 + 700, keyVersion: 3 }),
      empty(),
      checkpoint({ number: 7, lsn: begin, offset: 2048, keyVersion: 1 }),
    ]
    // The first is older than the checkpoint; the one after the fourth was written in the round before.
    const blocks = [block(0, 1), block(1, 3), block(2, 4), block(3, 4), logBlock(17, 2)]
    const log = await read(t, [encrypted, ...checkpoints, ...blocks])
    assert.deepEqual([log.state, log.keyVersions], ['encrypted', [3, 4]])
  })

  test(`format ${format}: the log goes on at the start of the file`, async (t) => {
    const checkpoints = [
      checkpoint({ number: 1, lsn: begin, offset: 2048 + 2 * 512, keyVersion: 5 }),
      empty(),
      empty(),
    ]
    const blocks = [block(1, 6), block(2, 7), block(0, 5)]
    assert.deepEqual((await read(t, [encrypted, ...checkpoints, ...blocks])).keyVersions, [5, 6, 7])
  })

  test(`format ${format}: a damaged checkpoint leaves the other; a torn block ends the log`, async (t) => {
    const torn = block(1, 9)
    torn.writeUInt8(1, 100)
    const checkpoints = [
      checkpoint({ number: 9, lsn: begin, offset: 2048, keyVersion: 8 }).fill(1, 40, 50),
      empty(),
      checkpoint({ number: 7, lsn: begin, offset: 2048, keyVersion: 2 }),
    ]
    assert.deepEqual(
      (await read(t, [encrypted, ...checkpoints, block(0, 2), torn, block(2, 9)])).keyVersions,
      [2],
    )
    const neither = [checkpoints[0] ?? empty(), empty(), empty().fill(3)]
    await assert.rejects(read(t, [encrypted, ...neither, block(0, 2)]), /both of its checkpoints are damaged/)
  })
}

test('what has no content, is damaged or unknown', async (t) => {
  assert.equal((await read(t, [])).state, 'empty')
  assert.equal((await read(t, [Buffer.alloc(8192)])).state, 'empty')
  await assert.rejects(read(t, [header(formats.v108).fill(1, 300, 310)]), /its header is damaged/)
  await assert.rejects(read(t, [header(formats.v108).subarray(0, 100)]), /its header is damaged/)
  await assert.rejects(read(t, [header(103)]), /its format, 0x67, is not known/)
  await assert.rejects(readRedoLog(scratchDirectory(t)), { code: 'ENOENT' })
})

async function read(t: TestContext, blocks: readonly Buffer[]): ReturnType<typeof readRedoLog> {
  const directory = scratchDirectory(t)
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'ib_logfile0'), Buffer.concat(blocks))
  return await readRedoLog(directory)
}

function header(format: number, key?: { keyId: number; keyVersion: number }): Buffer {
  const block = empty()
  block.writeUInt32BE(format, 0)
  block.write('MariaDB 10.11.19', 16)
  block.writeUInt32BE(key?.keyId ?? 0, 48)
  block.writeUInt32BE(key?.keyVersion ?? 0, 52)
  return sealed(block)
}

interface CheckpointToMake {
  readonly number: number
  readonly lsn: number
  readonly offset: number
  readonly keyVersion: number
}

function checkpoint({ number, lsn, offset, keyVersion }: CheckpointToMake): Buffer {
  const block = empty()
  block.writeBigUInt64BE(BigInt(number), 0)
  block.writeBigUInt64BE(BigInt(lsn), 8)
  block.writeBigUInt64BE(BigInt(offset), 16)
  block.writeUInt32BE(keyVersion, 32)
  return sealed(block)
}

function logBlock(number: number, keyVersion: number): Buffer {
  const block = Buffer.alloc(512, 'encrypted')
  // The highest bit: a write began here.
  block.writeUInt32BE((number | 0x80000000) >>> 0, 0)
  block.writeUInt32BE(keyVersion, 504)
  return sealed(block)
}

function sealed(block: Buffer): Buffer {
  block.writeUInt32BE(crc32c(block.subarray(0, 508)), 508)
  return block
}

function empty(): Buffer {
  return Buffer.alloc(512)
}
