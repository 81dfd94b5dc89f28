import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import type { Stack } from '../../src/cli/demo/stack.ts'
import { manifestFileName, parseManifest } from '../../src/keyring/manifest.ts'
import type { ListenerName } from '../support/each-listener.ts'
import { agentIsReady, agentStack, complaints } from '../support/running-stack.ts'
import { until } from '../support/until.ts'
import { keyAnswer } from '../support/key-client.ts'

/** 200 in all: an agent for each listener, beside each other, for one of them mostly waits. */
const listeners: ListenerName[] = ['vault', 'plugin']
const roundsEach = 100
const idsPerRound = 3

suite('K1: kill -9', { concurrency: listeners.length }, () => {
  for (const listener of listeners) {
    test(`${listener} listener: what was ever answered is the same after ${roundsEach} kills at random moments`, async (t) => {
      const stack = await agentStack({ listener })
      t.after(() => stack.remove())
      const answered = new Map<number, string>()
      let cutInTheMiddle = 0

      for (let round = 0; round < roundsEach; round++) {
        const ids = Array.from({ length: idsPerRound }, (_, index) => 1 + round * idsPerRound + index)
        const answers = ids.map((keyId) => keyAnswer(stack, keyId))
        await momentToKill(stack, round, ids)
        await stack.agent.stop('SIGKILL')
        for (const [index, answer] of (await Promise.all(answers)).entries()) {
          if (answer !== undefined) answered.set(ids[index] ?? 0, answer)
        }
        const missed = ids.filter((keyId) => !answered.has(keyId)).length
        if (missed > 0 && missed < idsPerRound) cutInTheMiddle += 1
        await stack.startAgent()
      }

      await until('the agent is ready', () => agentIsReady(stack))
      assert.deepEqual(complaints(stack), [])
      t.diagnostic(
        `${answered.size} of ${roundsEach * idsPerRound} answered, ${cutInTheMiddle} rounds cut in the middle`,
      )
      assert.ok(answered.size > roundsEach / 2, 'many requests were answered')
      assert.ok(cutInTheMiddle > roundsEach / 20, 'many rounds were cut in the middle')
      for (const [keyId, answer] of answered)
        assert.equal(await keyAnswer(stack, keyId, 1), answer, `key ${keyId}`)
      assertNothingPartial(stack)
    })
  }
})

/** Anywhere in the agent's first half second; or close behind the birth of one of the files. */
async function momentToKill(stack: Stack, round: number, ids: readonly number[]): Promise<void> {
  if (round % 2 === 0) {
    await setTimeout(randomInt(0, 500))
    return
  }
  const file = join(stack.dataDirectory, `aws-kms-key.${ids[randomInt(0, ids.length)] ?? 0}.1`)
  const end = Date.now() + 1500
  while (!existsSync(file) && Date.now() < end) await setTimeout(1)
  await setTimeout(randomInt(0, 8))
}

/** Every key file is listed, and every listed key has its file. */
function assertNothingPartial(stack: Stack): void {
  const text = readFileSync(join(stack.dataDirectory, manifestFileName), 'utf8')
  const listed = parseManifest(text, manifestFileName).keys.map(
    ({ keyId, version }) => `aws-kms-key.${keyId}.${version}`,
  )
  const files = readdirSync(stack.dataDirectory).filter((name) => /^aws-kms-key\.\d/.test(name))
  assert.deepEqual(files.sort(), listed.sort())
}
