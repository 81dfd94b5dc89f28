import assert from 'node:assert/strict'
import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { test } from 'node:test'
import { agentIsReady, agentStack } from '../support/running-stack.ts'
import { until } from '../support/until.ts'
import { keyAnswer } from '../support/vault-client.ts'

const keyCount = 20
const skip =
  process.platform === 'linux' && process.getuid?.() === 0
    ? false
    : 'only root may read the memory of another process'

test(
  'K6: in the memory of a started agent each key is there once, and not as a string',
  { skip },
  async (t) => {
    const stack = await agentStack()
    t.after(() => stack.remove())
    const keyIds = Array.from({ length: keyCount }, (_, index) => index + 1)
    const keys: Buffer[] = []
    for (const keyId of keyIds) {
      const digits = /"([0-9a-f]{64})"/.exec((await keyAnswer(stack, keyId)) ?? '')?.[1] ?? ''
      keys.push(Buffer.from(digits, 'hex'))
    }
    await stack.agent.stop()
    await stack.startAgent()
    await until('the agent is ready', () => agentIsReady(stack))

    const memory = readMemory(stack.agent.pid)
    const count = (form: (key: Buffer) => Buffer) =>
      keys.reduce((sum, key) => sum + occurrences(memory, form(key)), 0)

    assert.equal(
      count((key) => key),
      keyCount,
    )
    assert.equal(
      count((key) => Buffer.from(key.toString('hex'))),
      0,
    )
    // Node.js's HTTP parser may still have the last of the answers in its own buffer.
    const asBase64 = count((key) => Buffer.from(key.toString('base64').slice(0, 43)))
    assert.ok(asBase64 <= 1, `${asBase64} keys as base64`)
  },
)

/** All that is writable: heaps and stacks. */
function readMemory(pid: number): Buffer[] {
  const memory = openSync(`/proc/${pid}/mem`, 'r')
  try {
    return readFileSync(`/proc/${pid}/maps`, 'utf8')
      .split('\n')
      .flatMap((line) => {
        const [, begin, end] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? []
        if (begin === undefined || end === undefined) return []
        const region = Buffer.alloc(Number(`0x${end}`) - Number(`0x${begin}`))
        try {
          readSync(memory, region, 0, region.length, Number(`0x${begin}`))
        } catch {
          // A region of the kernel's, such as [vvar].
        }
        return [region]
      })
  } finally {
    closeSync(memory)
  }
}

function occurrences(regions: readonly Buffer[], bytes: Buffer): number {
  let count = 0
  for (const region of regions) {
    for (let at = region.indexOf(bytes); at >= 0; at = region.indexOf(bytes, at + 1)) count += 1
  }
  return count
}
