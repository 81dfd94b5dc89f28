/** Numbers that one seed always gives again, and choices made with them. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** From 0 to `below` - 1. Mulberry32. */
  int(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) % below
  }

  chance(percent: number): boolean {
    return this.int(100) < percent
  }

  pick<T>(choices: readonly T[]): T {
    const choice = choices[this.int(choices.length)]
    if (choice === undefined) throw new Error('nothing to choose from')
    return choice
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.int(256)))
  }
}

/** One to four small damages: bits, bytes gone, doubled, or strewn in. */
export function damaged(bytes: Buffer, random: Random): Buffer {
  let result = Buffer.from(bytes)
  for (let n = random.int(4); n >= 0; n--) {
    const at = random.int(result.length + 1)
    const length = random.pick([1, 1, 2, 8, 200])
    const [before, after] = [result.subarray(0, at), result.subarray(at)]
    const kind = random.int(5)
    if (kind === 0 && after.length > 0) after[0] = (after[0] ?? 0) ^ (1 << random.int(8))
    else if (kind === 1) result = Buffer.concat([before, result.subarray(at + length)])
    else if (kind === 2) result = Buffer.concat([before, result.subarray(at, at + length), after])
    else if (kind === 3) result = Buffer.concat([before, random.bytes(length), after])
    else result = Buffer.concat([before, Buffer.from(random.pick(tokens)), after])
  }
  return result
}

const tokens = [
  '{',
  '}',
  '[',
  ']',
  '"',
  ',',
  ':',
  '\\',
  '\\u0000',
  '\\ud800',
  '&',
  '=',
  '%',
  '%00',
  '.member.1',
  '\0',
  '\r\n',
  '\ufeff',
  'null',
  '-0',
  '1e999',
  '__proto__',
]

/** A JSON value with one to three places changed. */
export function changedJson(value: unknown, random: Random): unknown {
  let result = value
  for (let n = random.int(3); n >= 0; n--) result = changedOnce(result, random)
  return result
}

function changedOnce(value: unknown, random: Random): unknown {
  const inside = typeof value === 'object' && value !== null
  if (!inside || random.chance(5)) return oddValue(random)
  if (Array.isArray(value)) {
    const list: unknown[] = Array.from<unknown>(value)
    if (list.length === 0 || random.chance(20)) return [...list, oddValue(random)]
    const at = random.int(list.length)
    return random.chance(20) ? list.toSpliced(at, 1) : list.with(at, changedOnce(list[at], random))
  }
  const entries: [string, unknown][] = Object.entries(value)
  if (entries.length === 0 || random.chance(10)) {
    return Object.fromEntries([...entries, [random.pick(oddNames), oddValue(random)]])
  }
  const at = random.int(entries.length)
  const [name, one] = entries[at] ?? ['', undefined]
  if (random.chance(15)) return Object.fromEntries(entries.toSpliced(at, 1))
  return Object.fromEntries(entries.with(at, [name, changedOnce(one, random)]))
}

const oddNames = [
  '',
  '__proto__',
  'constructor',
  'toString',
  'KeyId',
  'keyId',
  'DryRun',
  '\0',
  'é',
  'x'.repeat(3000),
]

const oddValues: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -0,
  -1,
  1,
  1.5,
  1e21,
  1e308,
  -1e308,
  2 ** 31,
  2 ** 53,
  1_700_000_000,
  8.64e15,
  '',
  ' ',
  '\0',
  '\ud800',
  '\ufffe',
  'é'.repeat(200),
  'x'.repeat(9000),
  'A'.repeat(5464),
  '====',
  'AA==',
  '..',
  'alias/',
  'alias/aws/x',
  'arn:aws:kms:us-east-1:111122223333:key/',
  'arn:aws:iam::111122223333:role/x',
  '*',
  '${aws:username}',
  '{"Version":"2012-10-17","Statement":[]}',
  '{"Statement":'.repeat(500),
  '9'.repeat(400),
  '-5',
  'true',
  '2030-01-01T00:00:00Z',
  [],
  {},
  [[]],
  [null],
  [''],
  [1],
  [{}],
  { a: 'b' },
  { a: {} },
  { a: null },
  { '': '' },
  { __proto__: 'x' },
]

export function oddValue(random: Random): unknown {
  if (random.chance(1)) return `nested\u0001${random.pick([10, 1000, 20_000])}`
  if (random.chance(2)) return Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`k${n}`, 'v']))
  if (random.chance(2)) return Array.from({ length: 300 }, (_, n) => `v${n}`)
  return random.pick(oddValues)
}

/** `JSON.stringify`, with deeply nested values written out. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value).replace(
    /"nested\\u0001(\d+)"/g,
    (_all, depth) => '['.repeat(Number(depth)) + ']'.repeat(Number(depth)),
  )
}
