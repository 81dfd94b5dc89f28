import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Stack } from '../../src/cli/demo/stack.ts'
import { type DataSurvey, surveyData } from '../../src/doctor/look/data/data-survey.ts'
import { keyDemands } from '../../src/doctor/look/data/key-demands.ts'
import { dataPlaces } from '../../src/doctor/look/data/places.ts'
import type { SurveyedTablespace } from '../../src/doctor/look/data/surveyed-tablespace.ts'
import { isWhole } from '../../src/innodb/checksum.ts'
import { isEmpty } from '../../src/innodb/page.ts'
import { Tablespace } from '../../src/innodb/tablespace.ts'
import { readEncryptionStatus } from '../../src/mariadb/encryption-status.ts'
import { serverStack } from '../support/running-stack.ts'
import { strongroom } from '../support/strongroom.ts'

/** Both formats of tablespaces, the smallest and the largest pages; other sizes were measured, and are in the unit tests. */
const servers = [
  {
    pageSize: 4096,
    fullCrc32: false,
    options: { 'innodb-page-size': '4k', 'innodb-checksum-algorithm': 'crc32' },
  },
  {
    pageSize: 65536,
    fullCrc32: true,
    options: { 'innodb-page-size': '64k', 'innodb-checksum-algorithm': 'strict_full_crc32' },
  },
]

for (const { pageSize, fullCrc32, options } of servers) {
  const format = fullCrc32 ? 'full_crc32' : 'the old format'
  test(`pages of ${pageSize} bytes, ${format}: what is read without keys is what InnoDB says of itself`, async (t) => {
    const stack = await filled(t, { ...options, 'innodb-undo-tablespaces': '2' }, pageSize < 32768)
    const surveyed = await underLoad(stack)
    assert.ok(surveyed.length > 1)
    for (const survey of surveyed) assertUnalarmed(survey, fullCrc32)

    const rows = await readEncryptionStatus(stack.server)
    await stack.stopServer()
    const survey = await look(stack)
    assertUnalarmed(survey, fullCrc32)
    const spaces = new Map(survey.tablespaces.map((space) => [nameOf(space), space]))
    assert.deepEqual([...spaces.keys()].sort(), rows.map(({ name }) => name).sort())
    for (const row of rows) {
      const space = spaces.get(row.name)
      assert.equal(space?.cryptData?.keyId, row.keyId, row.name)
      assert.ok(
        [...space.encrypted.keys()].every((version) => version >= row.minKeyVersion),
        row.name,
      )
      assert.equal(space.format.pageSize, pageSize)
      assert.equal(space.format.fullCrc32, fullCrc32 && space.format.physicalSize === pageSize)
      await assertWhole(space)
    }
    const demanded = keyDemands(survey).map(({ keyId, version }) => `${keyId}.${version}`)
    assert.deepEqual(demanded, ['1.1', '1.2', '3.1'])
  })
}

async function filled(
  t: TestContext,
  server: Readonly<Record<string, string>>,
  compresses: boolean,
): Promise<Stack> {
  const stack = await serverStack({ server })
  t.after(() => stack.remove())
  const rows = 'SELECT seq, REPEAT(seq, 20) FROM d.seq_1_to_1500'
  await stack.server.query('CREATE DATABASE d')
  const kinds = [
    '',
    'ENCRYPTION_KEY_ID=3',
    'PAGE_COMPRESSED=1',
    ...(compresses ? ['ROW_FORMAT=COMPRESSED', 'KEY_BLOCK_SIZE=1'] : []),
  ]
  for (const [at, kind] of kinds.entries()) {
    await stack.server.query(`CREATE TABLE d.t${at} (i INT PRIMARY KEY, c VARCHAR(200)) ${kind}`)
    await stack.server.query(`INSERT INTO d.t${at} ${rows}`)
  }
  await stack.server.query('CREATE TABLE d.places (i INT PRIMARY KEY, g POINT NOT NULL, SPATIAL INDEX(g))')
  await stack.server.query('INSERT INTO d.places SELECT seq, POINT(seq, seq) FROM d.seq_1_to_1000')
  await stack.server.query('CREATE TABLE d.words (i INT PRIMARY KEY, w TEXT, FULLTEXT INDEX(w))')
  await stack.server.query("INSERT INTO d.words SELECT seq, CONCAT('word', seq) FROM d.seq_1_to_100")
  await stack.server.query('CREATE TABLE d.aria (i INT PRIMARY KEY, c TEXT) ENGINE=Aria')
  await stack.server.query(`INSERT INTO d.aria ${rows}`)
  const config = join(stack.agentDirectory, 'agent.conf')
  assert.equal((await strongroom(['keys', 'rotate', '1', '--config', config])).code, 0)
  await stack.server.query('FLUSH BINARY LOGS')
  return stack
}

/** Looked at again and again while the server writes. */
async function underLoad(stack: Stack): Promise<DataSurvey[]> {
  const writer = async (table: string) => {
    const connection = await stack.server.connect()
    for (let round = 0; round < 10; round++)
      await connection.query(`UPDATE d.${table} SET c = REPEAT('${round}', 20 + i % 150)`)
    await connection.end()
  }
  const writing = { isOver: false }
  const written = Promise.all(['t0', 't1', 't2', 'aria'].map(writer)).finally(() => {
    writing.isOver = true
  })
  const surveys: DataSurvey[] = []
  while (!writing.isOver || surveys.length < 2) {
    surveys.push(await look(stack))
    await stack.server.query('FLUSH TABLES')
  }
  await written
  return surveys
}

async function look({ dataDirectory }: Stack): Promise<DataSurvey> {
  return await surveyData(
    dataPlaces(dataDirectory, () => undefined),
    Infinity,
  )
}

/** Nothing in the clear that a server can encrypt, nothing asked for that was never issued, nothing unread. */
function assertUnalarmed(survey: DataSurvey, fullCrc32: boolean): void {
  const issued = ['1.1', '1.2', '3.1']
  const strange = keyDemands(survey).filter(({ keyId, version }) => !issued.includes(`${keyId}.${version}`))
  assert.deepEqual(strange, [])
  assert.deepEqual(survey.unread, [])
  for (const space of survey.tablespaces) {
    const isSpatial = space.name === 'places' && !fullCrc32
    assert.equal(space.plain - space.plainSpatial, 0, space.path)
    assert.equal(space.plainSpatial > 0, isSpatial && space.plain > 0, space.path)
    assert.equal(space.freedPlain + space.copiedPlain + space.unclear, 0, space.path)
  }
  assert.ok(survey.ariaTables.every(({ encrypted }) => encrypted))
}

async function assertWhole({ path, format }: SurveyedTablespace): Promise<void> {
  const tablespace = await Tablespace.open([path])
  assert.ok(tablespace)
  for (let pageNumber = 0; pageNumber < tablespace.pages; pageNumber++) {
    const [page] = await tablespace.read({ first: pageNumber, count: 1 })
    if (page === undefined || isEmpty(page) || tablespace.isDoublewrite(pageNumber)) continue
    assert.ok(isWhole(page, pageNumber, format), `page ${pageNumber} of ${path}`)
  }
  await tablespace.close()
}

function nameOf({ kind, schema, name }: SurveyedTablespace): string {
  if (kind === 'system') return 'innodb_system'
  return kind === 'undo' ? `innodb_${name}` : `${schema}/${name}`
}
