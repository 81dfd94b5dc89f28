import assert from 'node:assert/strict'
import { readFileSync, rmSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { scratchDirectory } from '../../test/support/scratch.ts'
import { until } from '../../test/support/until.ts'
import { StrongroomError } from '../errors.ts'
import { Duty } from './duty.ts'
import type { OwnDutyEvent } from './duty-event.ts'
import { DutyFiles, newDutyId } from './duty-files.ts'
import { type DutyRecord, dutyRecord } from './duty-record.ts'
import type { Opening, OpeningLimits } from './opening.ts'
import { ownIdentity } from './process-identity.ts'

const keyArn = 'arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'

/** In the place of the KMS; what each call does can be set. */
class FakeOpening implements Opening {
  isThere = false
  readonly calls: string[] = []
  readonly faults: { prove?: unknown; open: unknown[]; close: unknown[] } = { open: [], close: [] }
  /** What a call that opens does, where it is not told to fail. */
  opening: (limits: OpeningLimits) => Promise<void> = () => {
    this.isThere = true
    return Promise.resolve()
  }

  prove(): Promise<void> {
    this.calls.push('prove')
    return this.faults.prove === undefined ? Promise.resolve() : Promise.reject(asError(this.faults.prove))
  }

  async open(limits: OpeningLimits): Promise<string | undefined> {
    this.calls.push('open')
    const fault = this.faults.open.shift()
    if (fault !== undefined) throw asError(fault)
    await this.opening(limits)
    return 'opened'
  }

  close(): Promise<string | undefined> {
    this.calls.push('close')
    const fault = this.faults.close.shift()
    if (fault !== undefined) return Promise.reject(asError(fault))
    this.isThere = false
    return Promise.resolve('closed')
  }

  isOpen(): Promise<boolean> {
    return Promise.resolve(this.isThere)
  }
}

const asError = (fault: unknown): Error => (fault instanceof Error ? fault : new Error(String(fault)))
const refusal = new StrongroomError('SR_AWS_REFUSED', 'not you', {
  cause: Object.assign(new Error('no'), { $metadata: { httpStatusCode: 400 } }),
})
const lost = Object.assign(new Error('gone'), { code: 'ECONNRESET' })

interface Run {
  readonly duty: Duty
  readonly opening: FakeOpening
  readonly files: DutyFiles
  readonly record: DutyRecord
  readonly events: OwnDutyEvent[]
  readonly names: () => string[]
  readonly written: () => unknown
}

function dutyFor(t: TestContext, lasts = 60_000, extra: Partial<DutyRecord> = {}): Run {
  const directory = scratchDirectory(t)
  const files = new DutyFiles(directory)
  const record: DutyRecord = {
    format: 'strongroom-master-key-duty/1',
    id: newDutyId(),
    target: { type: 'key', keyArn },
    place: { region: 'us-east-1' },
    holder: ownIdentity(),
    begunAt: Date.now(),
    endsAt: Date.now() + lasts,
    state: 'opening',
    ...extra,
  }
  const opening = new FakeOpening()
  const events: OwnDutyEvent[] = []
  const tools = { opening, files, tell: (event: OwnDutyEvent) => events.push(event) }
  return {
    duty: new Duty({ record, lasts, proves: true }, tools),
    opening,
    files,
    record,
    events,
    names: () => events.map(({ event }) => event),
    written: () => dutyRecord.parse(JSON.parse(readFileSync(files.pathOf(record.id), 'utf8'))),
  }
}

test('it writes down, proves, opens, waits, closes, and forgets', async (t) => {
  const { duty, opening, files, record, names, written } = dutyFor(t)
  let whenOpening: unknown
  opening.opening = () => {
    whenOpening = written()
    return Promise.resolve()
  }
  const held = duty.hold()
  await until('it is open', () => names().includes('open'))
  assert.deepEqual(whenOpening, record)
  duty.end('enough')
  await held
  assert.deepEqual(opening.calls, ['prove', 'open', 'close'])
  assert.deepEqual(names(), ['opening', 'open', 'closing', 'closed'])
  assert.equal(await files.has(record.id), false)
})

test('it closes by itself when the time is over', async (t) => {
  const { duty, events } = dutyFor(t, 300)
  await duty.hold()
  const closing = events.find(({ event }) => event === 'closing')
  assert.ok(closing?.event === 'closing')
  assert.equal(closing.because, 'the time is over')
})

test('what is refused is not opened, and leaves nothing behind', async (t) => {
  for (const where of ['prove', 'open'] as const) {
    const { duty, opening, files, record, names } = dutyFor(t)
    if (where === 'prove') opening.faults.prove = refusal
    else opening.faults.open.push(refusal)
    await duty.hold()
    assert.deepEqual(names().at(-1), 'not-opened')
    assert.ok(!opening.calls.includes('close'))
    assert.equal(await files.has(record.id), false)
  }
})

test('ended before anything was sent, it opens nothing', async (t) => {
  const { duty, opening, names } = dutyFor(t)
  duty.end('never mind')
  await duty.hold()
  assert.deepEqual([opening.calls, names()], [[], ['not-opened']])
})

test('of two that open the same at the same time one gives way', async (t) => {
  const { duty, opening, files, record, names, events } = dutyFor(t)
  await files.write({ ...record, id: newDutyId(), begunAt: record.begunAt - 1 })
  await duty.hold()
  assert.deepEqual([opening.calls, names()], [[], ['not-opened']])
  const [refused] = events
  assert.ok(refused?.event === 'not-opened' && refused.code === 'SR_WINDOW_REFUSED')
  const first = dutyFor(t)
  await first.files.write({ ...first.record, id: newDutyId(), begunAt: first.record.begunAt + 1 })
  const held = first.duty.hold()
  await until('it is open', () => first.names().includes('open'))
  first.duty.end('enough')
  await held
})

test('a call that got no answer counts as one that opened', async (t) => {
  const { duty, opening, names, events, written } = dutyFor(t, 300)
  opening.faults.open.push(lost, refusal, refusal)
  void duty.hold()
  await until('it is closed', () => names().includes('closed'))
  assert.ok(opening.calls.includes('close'))
  const closed = events.find(({ event }) => event === 'closed')
  assert.ok(closed?.event === 'closed' && (closed.watchedUntil ?? 0) > Date.now())
  assert.match(JSON.stringify(written()), /"state":"watching"/)
  // It arrives after all.
  opening.isThere = true
  await until('it is closed once more', () => names().filter((name) => name === 'closed').length === 2)
  assert.equal(opening.isThere, false)
})

test('a watch ends when somebody has taken the duty away, or opens the same anew', async (t) => {
  for (const how of ['away', 'anew'] as const) {
    const { duty, opening, files, record, names } = dutyFor(t, 200)
    opening.faults.open.push(lost)
    const held = duty.hold()
    await until('it is closed', () => names().includes('closed'))
    if (how === 'away') await files.remove(record.id)
    else await files.write({ ...record, id: newDutyId(), state: 'opening' })
    opening.isThere = true
    await held
    assert.equal(opening.isThere, true)
    assert.equal(await files.has(record.id), false)
  }
})

test('an earlier call that may yet arrive is looked for after this window too', async (t) => {
  const { duty, opening, names } = dutyFor(t, 200, { mayOpenUntil: Date.now() + 60_000 })
  void duty.hold()
  await until('it is closed', () => names().includes('closed'))
  opening.isThere = true
  await until('it is closed once more', () => names().filter((name) => name === 'closed').length === 2)
})

test('closing is tried until it succeeds, whatever it fails with', async (t) => {
  const { duty, opening, names, events, written, files } = dutyFor(t)
  opening.faults.close.push(refusal, lost, 'anything', refusal)
  const held = duty.hold()
  await until('it is open', () => names().includes('open'))
  duty.end('enough')
  await until('it has failed', () => names().includes('not-closed'))
  await until('the file says so', () => JSON.stringify(written()).includes('"trouble":'))
  // Where it can't be written it goes on all the same.
  rmSync(files.directory, { recursive: true })
  await held
  const pauses = events.flatMap((event) => (event.event === 'not-closed' ? [event.pause] : []))
  assert.deepEqual(pauses, [250, 500, 1000, 2000])
  assert.equal(opening.isThere, false)
})

test('an answer is not waited for long when the window is over', async (t) => {
  const { duty, opening, names } = dutyFor(t)
  opening.opening = async ({ late }) => {
    await new Promise((_, reject) => {
      late.addEventListener('abort', () => {
        reject(Object.assign(new Error('aborted'), { name: 'AbortError' }))
      })
    })
  }
  void duty.hold()
  await until('it is being opened', () => names().includes('opening'))
  duty.end('the command has ended')
  await until('it is closed', () => names().includes('closed'), 10_000)
  assert.deepEqual(opening.calls, ['prove', 'open', 'close'])
})
