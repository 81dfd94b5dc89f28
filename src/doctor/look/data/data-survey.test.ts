import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { formats, makeFirstPage, makePage } from '../../../../test/support/innodb-pages.ts'
import { scratchDirectory } from '../../../../test/support/scratch.ts'
import { isSeen, seen, unseen } from '../../looked.ts'
import { type DataSurvey, surveyData } from './data-survey.ts'
import { lookAtData } from './look-at-data.ts'
import { dataPlaces } from './places.ts'

const cryptData = { type: 1, keyId: 1, minKeyVersion: 1, wish: 0 }
const { format } = formats.full

function tablespaceOf(pages: number, spaceId = 7): Buffer {
  return Buffer.concat([
    makeFirstPage(formats.full, { spaceId, cryptData, extents: 64 }),
    ...Array.from({ length: pages - 1 }, (_, at) =>
      makePage(format, { number: at + 1, keyVersion: 1, spaceId }),
    ),
  ])
}

test('what lies where a server puts it is found, and what looks like it is not', async (t) => {
  const directory = scratchDirectory(t)
  const elsewhere = scratchDirectory(t)
  const files: [name: string, content: Buffer | string][] = [
    ['ibdata1', tablespaceOf(3, 0)],
    ['undo001', tablespaceOf(3, 1)],
    ['ibtmp1', 'temporary'],
    ['d/t.ibd', tablespaceOf(3)],
    ['d/far.isl', `${join(elsewhere, 'far.ibd')}\n`],
    ['d/new.ibd', ''],
    ['d/broken.ibd', 'x'.repeat(65536)],
    ['d/my.MYD', 'rows'],
    ['d/none.MYD', ''],
    ['d/csv.CSV', 'rows'],
    ['d/a.MAI', ''],
    ['d/a.MAD', ''],
    ['binlog.000001', Buffer.concat([Buffer.from('\xfebin', 'latin1')])],
    ['binlog-000000.ibb', 'of another kind'],
    ['notes.000001', 'no log'],
    ['aria_log.00000001', 'Aria'],
  ]
  write(directory, files)
  writeFileSync(join(elsewhere, 'far.ibd'), tablespaceOf(3))
  symlinkSync('/dev/zero', join(directory, 'd/zero.ibd'))
  execFileSync('mkfifo', ['pipe.ibd', 'pipe.isl', 'pipe.MAI'], { cwd: join(directory, 'd') })
  writeFileSync(join(elsewhere, 'linked.ibd'), tablespaceOf(3))
  symlinkSync(elsewhere, join(directory, 'e'))

  const survey = await look(directory)
  assert.deepEqual(
    survey.tablespaces.map(({ kind, schema, name, pagesRead }) => `${kind} ${schema}/${name} ${pagesRead}`),
    [
      'system /the system tablespace 3',
      'undo /undo001 3',
      'table d/far 3',
      'table d/t 3',
      'table e/far 3',
      'table e/linked 3',
    ],
  )
  assert.deepEqual(survey.otherTables, [
    { schema: 'd', name: 'csv', engine: 'CSV' },
    { schema: 'd', name: 'my', engine: 'MyISAM' },
  ])
  assert.deepEqual(
    survey.logs.map(({ path }) => path),
    [join(directory, 'binlog.000001')],
  )
  assert.deepEqual(survey.ariaLogs, [join(directory, 'aria_log.00000001')])
  assert.deepEqual(survey.ariaTables, [])
  assert.ok(!isSeen(survey.redoLog))
  assert.deepEqual(
    survey.unread.map(({ path }) => path.slice(directory.length + 1)),
    ['d/broken.ibd', 'd/pipe.ibd', 'd/pipe.isl', 'd/zero.ibd', 'd/pipe.MAI', 'binlog-000000.ibb'],
  )
})

test('a budget is kept: small files are read wholly, large ones in parts', async (t) => {
  const directory = scratchDirectory(t)
  write(directory, [
    ['d/small.ibd', tablespaceOf(64)],
    ['d/large.ibd', tablespaceOf(1024)],
  ])
  const [large, small] = (await look(directory, 5 * 64 * format.physicalSize)).tablespaces
  assert.deepEqual([large?.name, large?.pagesRead, large?.pages], ['large', 4 * 64, 1024])
  assert.deepEqual([small?.name, small?.pagesRead], ['small', 64])
})

test('what is dropped meanwhile is left out', async (t) => {
  const directory = scratchDirectory(t)
  write(directory, [
    ['ibdata1', tablespaceOf(2000, 0)],
    ['d/t.ibd', tablespaceOf(3)],
  ])
  const looking = look(directory)
  setImmediate(() => {
    rmSync(join(directory, 'd'), { recursive: true })
  })
  const survey = await looking
  assert.deepEqual(survey.unread, [])
  assert.equal(survey.tablespaces[0]?.kind, 'system')
})

test('a data directory that is not there is not one without faults', async (t) => {
  const gone = join(scratchDirectory(t), 'gone')
  await assert.rejects(look(gone), { code: 'ENOENT' })
  const nothing = unseen('not in this test')
  const looked = await lookAtData({
    dataDirectory: seen(gone),
    server: nothing,
    options: nothing,
    thorough: false,
  })
  assert.ok(!isSeen(looked))
  assert.match(looked.unseen, /^the files in .*gone can not be read \(ENOENT/)
})

async function look(directory: string, budget = Infinity): Promise<DataSurvey> {
  return await surveyData(
    dataPlaces(directory, () => undefined),
    budget,
  )
}

function write(directory: string, files: readonly [name: string, content: Buffer | string][]): void {
  mkdirSync(join(directory, 'd'))
  for (const [name, content] of files) writeFileSync(join(directory, name), content)
}

test('what a link of a table leads to is told only where it looks like a tablespace', async (t) => {
  const directory = scratchDirectory(t)
  const secret = `[default]\naws_session_token = ${'s3cr3t'.repeat(100)}\n`
  const other = join(scratchDirectory(t), 'credentials')
  writeFileSync(other, secret)
  write(directory, [
    ['d/pasted.isl', secret],
    ['d/long.isl', `/x/${'s3cr3t'.repeat(100)}`],
    ['d/nul.isl', '/x/s3cr3t\0.ibd'],
    ['d/gone.isl', '/nowhere/gone.ibd'],
  ])
  symlinkSync(other, join(directory, 'd/linked.isl'))
  const { unread, tablespaces } = await look(directory)
  assert.deepEqual(tablespaces, [])
  assert.ok(!JSON.stringify(unread.map(({ path, error }) => [path, String(error)])).includes('s3cr3t'))
  assert.deepEqual(unread.map(({ path }) => path.slice(directory.length + 1)).sort(), [
    'd/linked.isl',
    'd/long.isl',
    'd/nul.isl',
    'd/pasted.isl',
  ])
})
