import assert from 'node:assert/strict'
import { openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { formats, makeFirstPage, makePage, seal } from '../../test/support/innodb-pages.ts'
import { scratchDirectory } from '../../test/support/scratch.ts'
import { surveyTablespace, type TablespaceSurvey } from './tablespace-survey.ts'
import { Tablespace } from './tablespace.ts'

const encrypted = { type: 1, keyId: 3, minKeyVersion: 1, wish: 0 }

for (const [name, of] of Object.entries(formats)) {
  const { format } = of
  test(`${name}: what is encrypted, in the clear, freed and empty is told apart`, async (t) => {
    const { tablespace, survey } = await read(t, [
      makeFirstPage(of, { cryptData: encrypted, free: [6, 7] }),
      makePage(format, { number: 1, keyVersion: 1 }),
      makePage(format, { number: 2, keyVersion: 1 }),
      makePage(format, { number: 3, keyVersion: 2 }),
      makePage(format, { number: 4 }),
      Buffer.alloc(format.physicalSize),
      makePage(format, { number: 6 }),
      makePage(format, { number: 7, keyVersion: 9 }),
    ])
    assert.deepEqual(tablespace.cryptData, { encrypted: true, keyId: 3, minKeyVersion: 1, wish: 'default' })
    assert.deepEqual(tablespace.format, format)
    assert.equal(tablespace.spaceId, 7)
    assert.deepEqual(
      [...survey.encrypted],
      [
        [1, 2],
        [2, 1],
      ],
    )
    assert.deepEqual(
      { ...survey, encrypted: undefined },
      { ...nothing, pages: 8, pagesRead: 8, plain: 1, freedPlain: 1 },
    )
  })
}

const nothing = {
  pages: 0,
  pagesRead: 0,
  encrypted: undefined,
  plain: 0,
  plainSpatial: 0,
  freedPlain: 0,
  copiedPlain: 0,
  unclear: 0,
}

test('what a table wishes', async (t) => {
  for (const [wish, expected] of [
    [0, 'default'],
    [1, 'yes'],
    [2, 'no'],
  ] as const) {
    const first = makeFirstPage(formats.full, { cryptData: { ...encrypted, wish } })
    assert.equal((await read(t, [first])).tablespace.cryptData?.wish, expected)
  }
  assert.equal((await read(t, [makeFirstPage(formats.full, {})])).tablespace.cryptData, undefined)
})

test('a page that is torn while it is read is read again', async (t) => {
  const { format } = formats.full
  const whole = makePage(format, { number: 1, keyVersion: 2 })
  const torn = Buffer.concat([makePage(format, { number: 1 }).subarray(0, 4096), whole.subarray(4096)])
  const path = join(scratchDirectory(t), 't.ibd')
  writeFileSync(path, Buffer.concat([makeFirstPage(formats.full, { cryptData: encrypted }), torn]))
  const tablespace = await open(t, [path])
  setTimeout(() => writeSync(openSync(path, 'r+'), whole, 0, whole.length, whole.length), 30)
  const survey = await surveyTablespace(tablespace, Infinity)
  assert.deepEqual([...survey.encrypted], [[2, 1]])
  assert.equal(survey.plain + survey.unclear, 0)
})

test('a page that stays torn is neither in the clear nor asks for a key', async (t) => {
  const { format } = formats.full
  const torn = Buffer.concat([
    makePage(format, { number: 1 }).subarray(0, 4096),
    makePage(format, { number: 1, keyVersion: 2, content: Buffer.from('other') }).subarray(4096),
  ])
  const rubbish = makePage(format, { number: 2, keyVersion: 3_000_000_000 }).fill(1, 9000)
  const { survey } = await read(t, [makeFirstPage(formats.full, { cryptData: encrypted }), torn, rubbish])
  assert.deepEqual(
    { ...survey, encrypted: survey.encrypted.size },
    { ...nothing, encrypted: 0, pages: 3, pagesRead: 3, unclear: 2 },
  )
})

test('old format: spatial indexes are in the clear, and have no key version', async (t) => {
  const { format } = formats.old
  const spatial = makePage(format, { number: 1, type: 17854 })
  spatial.writeBigUInt64BE(77n, 26)
  const { survey } = await read(t, [makeFirstPage(formats.old, { cryptData: encrypted }), spatial])
  assert.equal(survey.plain, 1)
  assert.equal(survey.plainSpatial, 1)
  assert.equal(survey.encrypted.size, 0)
})

test('the system tablespace: in several files, with page 5 and the doublewrite buffer', async (t) => {
  const { format } = formats.full
  const directory = scratchDirectory(t)
  const system = makePage(format, { number: 5, type: 7, spaceId: 0 })
  system.writeUInt32BE(536853855, 16384 - 190)
  system.writeUInt32BE(64, 16384 - 186)
  system.writeUInt32BE(128, 16384 - 182)
  const pages = Array.from({ length: 200 }, (_, number) =>
    makePage(format, { number, keyVersion: 4, spaceId: 0 }),
  )
  pages[0] = makeFirstPage(formats.full, { spaceId: 0, cryptData: { ...encrypted, keyId: 1 }, extents: 4 })
  pages[5] = seal(system, format)
  // Of another tablespace: in the clear, encrypted, and a first page, which is in the clear always.
  pages[70] = makePage(format, { number: 9 })
  pages[71] = makePage(format, { number: 9, keyVersion: 8 })
  pages[72] = makePage(format, { number: 0, type: 8 })
  const files = [pages.slice(0, 100), pages.slice(100)].map((part, at) => {
    const path = join(directory, `ibdata${at + 1}`)
    writeFileSync(path, Buffer.concat(part))
    return path
  })
  const survey = await surveyTablespace(await open(t, files), Infinity)
  assert.deepEqual([...survey.encrypted], [[4, 200 - 2 - 2 * 64]])
  assert.deepEqual(
    { ...survey, encrypted: undefined },
    { ...nothing, pages: 200, pagesRead: 200, copiedPlain: 1 },
  )
})

test('what is not written yet, is no tablespace, or is damaged', async (t) => {
  const path = join(scratchDirectory(t), 't.ibd')
  for (const content of [Buffer.alloc(0), Buffer.alloc(65536)]) {
    writeFileSync(path, content)
    assert.equal(await Tablespace.open([path]), undefined)
  }
  writeFileSync(path, Buffer.alloc(65536, 'text'))
  await assert.rejects(Tablespace.open([path]), /does not begin as a tablespace/)
  writeFileSync(path, makeFirstPage(formats.full, {}).fill(7, 9000))
  await assert.rejects(Tablespace.open([path]), /its first page is damaged/)
  await assert.rejects(Tablespace.open([`${path}.gone`]), { code: 'ENOENT' })
  await assert.rejects(Tablespace.open([scratchDirectory(t)]), /no regular file/)
})

async function read(
  t: TestContext,
  pages: readonly Buffer[],
): Promise<{ tablespace: Tablespace; survey: TablespaceSurvey }> {
  const path = join(scratchDirectory(t), 't.ibd')
  writeFileSync(path, Buffer.concat(pages))
  const tablespace = await open(t, [path])
  return { tablespace, survey: await surveyTablespace(tablespace, Infinity) }
}

async function open(t: TestContext, paths: readonly string[]): Promise<Tablespace> {
  const tablespace = await Tablespace.open(paths)
  assert.ok(tablespace)
  t.after(() => tablespace.close())
  return tablespace
}
