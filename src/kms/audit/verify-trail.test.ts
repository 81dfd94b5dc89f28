import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import {
  appendFileSync,
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import {
  headOf,
  openTestTrail,
  recordingPino,
  recordsOf,
  testAccount,
  testKey,
} from '../../../test/support/audit-trail.ts'
import { Chain, ChainKey, linkOf } from './chain.ts'
import { removedRecord } from './trail-events.ts'
import type { Break, Verdict } from './trail-verifier.ts'
import { verifyFiles, verifyTrail } from './verify-trail.ts'

function scratchTrail(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'strongroom-verify-'))
  t.after(() => {
    rmSync(directory, { recursive: true })
  })
  return join(directory, 'audit-trail.jsonl')
}

const maxSize = 1400
const first = 'audit-trail.000000000001.jsonl'
const second = 'audit-trail.000000000005.jsonl'
const current = 'audit-trail.jsonl'

const event = (n: number): Record<string, unknown> => ({ eventTime: '2026-11-25T00:00:00Z', n })

/** Records 1 to 10 in three files, at most four in each. */
async function writeTrail(t: TestContext): Promise<{ path: string; files: string[] }> {
  const path = scratchTrail(t)
  const trail = await openTestTrail(path, { maxSize })
  for (let n = 1; n <= 10; n++) await trail.append(event(n))
  await trail.close()
  const files = readdirSync(join(path, '..')).sort()
  assert.deepEqual(files, [first, second, current])
  return { path, files: files.map((name) => join(path, '..', name)) }
}

function verify(path: string): Promise<Verdict> {
  return verifyTrail(path, { key: testKey, head: headOf(path).read() })
}

function breaks(verdict: Verdict): string[] {
  return verdict.breaks.map(textOf)
}

function textOf({ file, line, toLine, what }: Break): string {
  return `${file}:${line}${toLine === line ? '' : `-${toLine}`} ${what}`
}

const linesOf = (path: string): string[] => readFileSync(path, 'latin1').split('\n').slice(0, -1)
const writeLines = (path: string, lines: readonly string[]): void => {
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''), 'latin1')
}
/** The lines of a file, by way of a change. */
const edit = (path: string, change: (lines: string[]) => readonly string[]): void => {
  writeLines(path, change(linesOf(path)))
}

test('a trail over several files is whole, with and without the key', async (t) => {
  const { path, files } = await writeTrail(t)
  const verdict = await verify(path)
  assert.deepEqual([verdict.records, verdict.files, verdict.breaks, verdict.notes], [10, 3, [], []])
  assert.deepEqual([verdict.first?.sequence, verdict.first?.time], [1, '2026-11-25T00:00:00Z'])
  assert.equal(verdict.last?.sequence, 10)
  assert.deepEqual((await verifyFiles(files, {})).breaks, [])
  const [line = ''] = linesOf(path).slice(-1)
  const [hashed = ''] = line.split(',"hash":"')
  assert.equal(createHash('sha256').update(hashed).digest('hex'), verdict.last.hash)
})

test('any changed byte shows, in its line, with and without the key', async (t) => {
  const { path, files } = await writeTrail(t)
  let count = 0
  for (const file of files) {
    const bytes = readFileSync(file)
    // Every byte of one file, some of the others.
    for (let at = 0; at < bytes.length; at += file.endsWith(second) ? 1 : 17) {
      const line = bytes.subarray(0, at).filter((byte) => byte === 0x0a).length + 1
      const damaged = Buffer.from(bytes)
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8))
      writeFileSync(file, damaged)
      for (const verdict of [await verify(path), await verifyFiles(files, {})]) {
        const noted = verdict.breaks.filter(
          (one) => file.endsWith(one.file) && one.line <= line && one.toLine >= line,
        )
        // The line end of a current file's last line makes it one that may be in the making; with the head it shows.
        const isLastByte = file === path && at === bytes.length - 1
        if (noted.length === 0 && !isLastByte)
          assert.fail(`byte ${at} of ${file}: ${breaks(verdict).join('; ')}`)
        count++
      }
    }
    writeFileSync(file, bytes)
  }
  assert.ok(count > 2500)
  assert.deepEqual(breaks(await verify(path)), [])
})

test('what was removed, put in, moved, replaced, cut off or written anew shows, and where', async (t) => {
  const inFile = (name: string) => (path: string) => join(path, '..', name)
  const [firstOf, secondOf] = [inFile(first), inFile(second)]
  const table: [what: string, damage: (path: string) => void, found: string[]][] = [
    [
      'one record removed',
      (path) => {
        edit(firstOf(path), (lines) => lines.toSpliced(1, 1))
      },
      [`${first}:2 record 2 is missing before it`],
    ],
    [
      'two records removed over the end of a file',
      (path) => {
        edit(firstOf(path), (lines) => lines.slice(0, -1))
        edit(secondOf(path), (lines) => lines.slice(1))
      },
      [
        `${second}:1 is record 6, and by the file's name it is record 5`,
        `${second}:1 records 4 to 5 are missing before it`,
      ],
    ],
    [
      'two records swapped',
      (path) => {
        edit(firstOf(path), ([a = '', b = '', c = '', d = '']) => [a, c, b, d])
      },
      [
        `${first}:3 is out of order: record 2 comes after record 3`,
        `${first}:2 record 2 is missing before it`,
      ],
    ],
    [
      'a record repeated',
      (path) => {
        edit(firstOf(path), (lines) => lines.toSpliced(2, 0, lines[1] ?? ''))
      },
      [`${first}:3 is out of order: record 2 comes after record 2`],
    ],
    [
      'a line put in',
      (path) => {
        edit(firstOf(path), (lines) => lines.toSpliced(2, 0, '{"eventName":"CreateKey"}'))
      },
      [`${first}:3 is not a record of this trail`],
    ],
    [
      'an empty line put in',
      (path) => {
        edit(firstOf(path), (lines) => lines.toSpliced(2, 0, ''))
      },
      [`${first}:3 is not a record of this trail`],
    ],
    [
      'a record replaced by one that was hashed, without the key',
      (path) => {
        edit(firstOf(path), (lines) => {
          const link = linkOf(Buffer.from(lines[0] ?? ''))
          assert.ok(link)
          const forged = new Chain(new ChainKey(Buffer.alloc(32, 2)), link)
            .link('{"n":22}')
            .toString('latin1')
          return lines.toSpliced(1, 1, forged.trimEnd())
        })
      },
      [
        `${first}:2 was not written by this service: its MAC is wrong`,
        `${first}:3 does not follow the record before it: its hash of that is another`,
      ],
    ],
    [
      'all records from the third on written anew, without the key',
      (path) => {
        const lines = [firstOf(path), secondOf(path), path].map((file) => linesOf(file))
        const link = linkOf(Buffer.from(lines[0]?.[1] ?? ''))
        assert.ok(link)
        const chain = new Chain(new ChainKey(Buffer.alloc(32, 2)), link)
        const again = (line: string): string =>
          chain
            .link(line.replace(/,"chain":.*/, '}').replace('"n":', '"m":'))
            .toString('latin1')
            .trimEnd()
        edit(firstOf(path), (all) => [...all.slice(0, 2), ...all.slice(2).map(again)])
        edit(secondOf(path), (all) => all.map(again))
        edit(path, (all) => all.map(again))
      },
      [
        `${first}:3-4 was not written by this service: its MAC is wrong`,
        `${second}:1-4 was not written by this service: its MAC is wrong`,
        `${current}:1-2 was not written by this service: its MAC is wrong`,
        `${current}:2 is another record 10 than the one that was written, by the database`,
      ],
    ],
    [
      'the end cut off',
      (path) => {
        edit(path, (lines) => lines.slice(0, -1))
      },
      [`${current}:0 record 10 is missing at its end`],
    ],
    [
      'the current file emptied',
      (path) => {
        writeFileSync(path, '')
      },
      [`${current}:0 records 9 to 10 are missing at its end`],
    ],
    ['the current file removed', rmSync, [`${second}:0 records 9 to 10 are missing at its end`]],
    [
      'the oldest file removed',
      (path) => {
        rmSync(firstOf(path))
      },
      [`${second}:1 records 1 to 4 are missing before it`],
    ],
    [
      'a file between removed',
      (path) => {
        rmSync(secondOf(path))
      },
      [`${current}:1 records 5 to 8 are missing before it`],
    ],
    [
      'a file replaced by a copy of another',
      (path) => {
        copyFileSync(firstOf(path), secondOf(path))
      },
      [
        `${second}:1 is record 1, and by the file's name it is record 5`,
        ...[1, 2, 3, 4].map((n) => `${second}:${n} is out of order: record ${n} comes after record 4`),
        `${current}:1 records 5 to 8 are missing before it`,
      ],
    ],
    [
      'everything removed',
      (path) => {
        for (const file of [firstOf(path), secondOf(path), path]) rmSync(file)
      },
      [':0 records 1 to 10 are missing at its end'],
    ],
    [
      'torn in a finished file',
      (path) => {
        writeFileSync(firstOf(path), readFileSync(firstOf(path)).subarray(0, -10))
      },
      [`${first}:4 ends in the middle`, `${second}:1 record 4 is missing before it`],
    ],
  ]
  for (const [what, damage, found] of table) {
    const { path } = await writeTrail(t)
    damage(path)
    assert.deepEqual(breaks(await verify(path)), found, what)
  }
  assert.equal(table.length, 16)
})

test('whoever writes the chain anew without the key is found by the key alone', async (t) => {
  const { files } = await writeTrail(t)
  const chain = new Chain(new ChainKey(Buffer.alloc(32, 2)), { sequence: 0, hash: '0'.repeat(64) })
  for (const file of files) {
    edit(file, (lines) =>
      lines.map((line) =>
        chain
          .link(line.replace(/,"chain":.*/, '}'))
          .toString()
          .trimEnd(),
      ),
    )
  }
  assert.deepEqual((await verifyFiles(files, {})).breaks, [])
  assert.equal((await verifyFiles(files, { key: testKey })).breaks.length, 3)
})

test('the head that is gone or forged shows', async (t) => {
  const { path } = await writeTrail(t)
  headOf(path).position = 'forged'
  assert.deepEqual(breaks(await verify(path)), [
    `${current}:0 what the database says of its end was not written by this service`,
  ])
  headOf(path).position = 'unset'
  assert.deepEqual(breaks(await verify(path)), [`${current}:0 the database does not know of it`])
})

test('a trail that was cut while the service was down is gone on with, loudly, and stays broken', async (t) => {
  const { path } = await writeTrail(t)
  edit(path, (lines) => lines.slice(0, -1))
  const { log, entries } = recordingPino()
  const trail = await openTestTrail(path, { log })
  await trail.append(event(11))
  await trail.close()
  assert.match(JSON.stringify(entries()), /"level":50.*the audit trail is not as this service left it/)
  const verdict = await verify(path)
  assert.deepEqual(breaks(verdict), [`${current}:2 record 10 is missing before it`])
  assert.match(verdict.notes.join(), /the service found that the trail did not end as it had left it/)
  assert.equal(verdict.last?.sequence, 12)
})

test('records that were put behind the end while the service was down are no reason to go on quietly', async (t) => {
  const { path } = await writeTrail(t)
  const link = linkOf(Buffer.from(linesOf(path).at(-1) ?? ''))
  assert.ok(link)
  appendFileSync(path, new Chain(new ChainKey(Buffer.alloc(32, 2)), link).link('{"n":11}'))
  const { log, entries } = recordingPino()
  await (await openTestTrail(path, { log })).close()
  assert.match(JSON.stringify(entries()), /the audit trail is not as this service left it/)
  assert.match(breaks(await verify(path)).join(), /:3 was not written by this service/)
})

test('a head that lags behind, as after a crash, is no reason for alarm', async (t) => {
  for (const sequence of [0, 1, 4, 5, 8, 9, 10]) {
    const { path, files } = await writeTrail(t)
    const hash = files
      .flatMap((file) => linesOf(file).map((line) => linkOf(Buffer.from(line))))
      .find((link) => link?.sequence === sequence)?.hash
    headOf(path).position = { sequence, hash: hash ?? '0'.repeat(64) }
    assert.deepEqual(breaks(await verify(path)), [])
    const { log, entries } = recordingPino()
    await (await openTestTrail(path, { log })).close()
    // The head is written before a file is finished, so it lies in the last one, or right before it.
    assert.equal(entries().length, sequence < 8 ? 1 : 0, String(sequence))
  }
})

test('lines from before the chain are covered by the first record', async (t) => {
  const path = scratchTrail(t)
  writeFileSync(path, '{"n":"old"}\n{"n":"older"}\n')
  const trail = await openTestTrail(path)
  await trail.append(event(1))
  await trail.close()
  await (await openTestTrail(path)).close()
  const old = join(path, '..', 'audit-trail.000000000000.jsonl')
  assert.equal(readFileSync(old, 'utf8'), '{"n":"old"}\n{"n":"older"}\n')
  assert.deepEqual(
    recordsOf(path).map(({ eventName, n }) => eventName ?? n),
    ['AuditTrailAdopted', 1],
  )
  assert.deepEqual(breaks(await verify(path)), [])
  writeFileSync(old, '{"n":"old"}\n{"n":"newer"}\n')
  assert.deepEqual(breaks(await verify(path)), [
    'audit-trail.000000000000.jsonl:0 was changed: it has not the hash in record 1',
  ])
  rmSync(old)
  assert.deepEqual(breaks(await verify(path)), [
    'audit-trail.000000000000.jsonl:0 is missing: record 1 says that it was there',
  ])
})

test('an adoption that a crash interrupted is completed', async (t) => {
  for (const interrupt of [
    (path: string) => {
      renameSync(path, join(path, '..', 'audit-trail.000000000000.jsonl'))
    },
    (path: string) => {
      renameSync(path, join(path, '..', 'audit-trail.000000000000.jsonl'))
      writeFileSync(path, '')
      headOf(path).position = { sequence: 0, hash: '0'.repeat(64) }
    },
  ]) {
    const path = scratchTrail(t)
    writeFileSync(path, '{"n":"old"}\n')
    interrupt(path)
    await (await openTestTrail(path)).close()
    assert.deepEqual(
      recordsOf(path).map(({ eventName }) => eventName),
      ['AuditTrailAdopted'],
    )
    assert.deepEqual(breaks(await verify(path)), [])
  }
})

test('a removal excuses a gap only when this service recorded it, for just these records', async (t) => {
  const { path } = await writeTrail(t)
  assert.deepEqual(
    headOf(path).written.map(({ sequence }) => sequence),
    [0, 4, 8, 10],
  )
  const firstFile = join(path, '..', first)
  const end = linkOf(Buffer.from(linesOf(firstFile).at(-1) ?? ''))
  assert.ok(end)
  const file = { name: first, firstSequence: 1, lastSequence: 4 }
  const gap = `${second}:1 records 1 to 4 are missing before it`
  const bytes = readFileSync(path)

  const recorded = async (lastHash: string): Promise<Verdict> => {
    const trail = await openTestTrail(path)
    await trail.append(removedRecord([{ ...file, lastHash }], testAccount))
    await trail.close()
    return verify(path)
  }
  rmSync(firstFile)
  assert.deepEqual(breaks(await recorded('0'.repeat(64))), [gap])
  assert.deepEqual(breaks(await recorded(end.hash)), [])

  writeFileSync(path, bytes)
  const link = linkOf(Buffer.from(linesOf(path).at(-1) ?? ''))
  assert.ok(link)
  headOf(path).position = { sequence: link.sequence, hash: link.hash }
  const record = removedRecord([{ ...file, lastHash: end.hash }], testAccount)
  appendFileSync(path, new Chain(new ChainKey(Buffer.alloc(32, 2)), link).link(JSON.stringify(record)))
  assert.deepEqual(breaks(await verify(path)), [
    `${current}:3 was not written by this service: its MAC is wrong`,
    gap,
  ])
})

test('a crash while a file is finished leaves a whole trail, which goes on', async (t) => {
  const interruptions: ((path: string) => void)[] = [
    (path) => {
      writeFileSync(`${path}.next`, '')
    },
    (path) => {
      writeFileSync(`${path}.next`, '')
      renameSync(path, join(path, '..', 'audit-trail.000000000009.jsonl'))
    },
    (path) => {
      renameSync(path, join(path, '..', 'audit-trail.000000000009.jsonl'))
      writeFileSync(path, '')
    },
  ]
  for (const interrupt of interruptions) {
    const { path } = await writeTrail(t)
    interrupt(path)
    assert.deepEqual(breaks(await verify(path)), [])
    const { log, entries } = recordingPino()
    const trail = await openTestTrail(path, { maxSize, log })
    for (let n = 11; n <= 20; n++) await trail.append(event(n))
    await trail.close()
    assert.deepEqual(entries(), [])
    const verdict = await verify(path)
    assert.deepEqual([breaks(verdict), verdict.last?.sequence], [[], 20])
  }
})
