import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { formats, makeFirstPage, makePage } from '../../test/support/innodb-pages.ts'
import { scratchDirectory } from '../../test/support/scratch.ts'
import { crc32c } from './checksum.ts'
import { parsePageFormat } from './page-format.ts'
import { readRedoLog } from './redo-log.ts'
import { surveyTablespace } from './tablespace-survey.ts'
import { Tablespace } from './tablespace.ts'
import { mostVersions } from './version-count.ts'

/** Files that whoever took over the server may have written: each is read to its end, or refused in our words. */

const cryptData = { type: 1, keyId: 1, minKeyVersion: 1, wish: 0 }
const bytes = fc.uint8Array({ maxLength: 64 })
const ours =
  /^(it does not begin as a tablespace|its first page is damaged|its header is damaged|its format, 0x[0-9a-f]+, is not known|both of its checkpoints are damaged)/

/** Bytes put into a file at some places. */
const changes = fc.array(fc.tuple(fc.nat(3 * 16384), bytes), { maxLength: 8 })

function changed(file: Buffer, puts: readonly (readonly [number, Uint8Array])[]): Buffer {
  const copy = Buffer.from(file)
  for (const [at, part] of puts)
    copy.set(part.subarray(0, Math.max(0, copy.length - at)), Math.min(at, copy.length))
  return copy
}

async function outcomeOf(read: () => Promise<unknown>): Promise<void> {
  await read().catch((error: unknown) => {
    assert.ok(error instanceof Error && ours.test(error.message), String(error))
  })
}

async function survey(path: string) {
  const tablespace = await Tablespace.open([path])
  if (tablespace === undefined) return undefined
  try {
    return await surveyTablespace(tablespace, Infinity)
  } finally {
    await tablespace.close()
  }
}

test('tablespaces with any bytes anywhere', async (t) => {
  const path = join(scratchDirectory(t), 't.ibd')
  const flags = fc.oneof(fc.constantFrom(...Object.values(formats).map((one) => one.flags)), fc.nat(0x1ffff))
  await fc.assert(
    fc.asyncProperty(flags, fc.constantFrom(0, 7), changes, async (flag, spaceId, puts) => {
      const format = parsePageFormat(flag) ?? formats.full.format
      const pages = Array.from({ length: 6 }, (_, at) =>
        makePage(format, { number: at + 1, keyVersion: 1, spaceId }),
      )
      const first = makeFirstPage({ flags: flag, format }, { spaceId, cryptData, extents: 1 })
      writeFileSync(path, changed(Buffer.concat([first, ...pages]), puts))
      await outcomeOf(() => survey(path))
    }),
    { numRuns: 40, interruptAfterTimeLimit: 20_000 },
  )
})

test('redo logs with any numbers under a good checksum', async (t) => {
  const directory = scratchDirectory(t)
  const words = fc.array(fc.tuple(fc.nat(31), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })), { maxLength: 8 })
  const known = fc.constantFrom(
    104,
    0x50485953,
    0x50687973,
    0xf09f979d,
    104 + 0x80000000,
    0x50485953 + 0x80000000,
  )
  await fc.assert(
    fc.asyncProperty(known, fc.array(words, { minLength: 4, maxLength: 12 }), async (format, blocks) => {
      const file = blocks.map((puts) => {
        const block = Buffer.alloc(512)
        for (const [at, word] of puts) block.writeBigUInt64BE(word, at * 8)
        return block
      })
      file[0]?.writeUInt32BE(format, 0)
      for (const block of file) block.writeUInt32BE(crc32c(block.subarray(0, 508)), 508)
      writeFileSync(join(directory, 'ib_logfile0'), Buffer.concat(file))
      await outcomeOf(() => readRedoLog(directory))
    }),
    { numRuns: 300, interruptAfterTimeLimit: 20_000 },
  )
})

test('a tablespace that names more key versions than can be is not believed without end', async (t) => {
  const path = join(scratchDirectory(t), 't.ibd')
  const { format } = formats.full4
  const pages = Array.from({ length: mostVersions + 30 }, (_, at) =>
    makePage(format, { number: at + 1, keyVersion: at + 1 }),
  )
  writeFileSync(
    path,
    Buffer.concat([makeFirstPage(formats.full4, { spaceId: 7, cryptData, extents: 8 }), ...pages]),
  )
  const found = await survey(path)
  assert.equal(found?.encrypted.size, mostVersions)
  assert.equal(found.unclear, 30)
})
