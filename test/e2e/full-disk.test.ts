import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { throughEachListener } from '../support/each-listener.ts'
import { agentStack, complaints } from '../support/running-stack.ts'
import { ordinaryUser } from '../support/ordinary-user.ts'
import { until } from '../support/until.ts'
import { keyAnswer, keyOutcome } from '../support/key-client.ts'

const needsRoot =
  process.getuid?.() === 0 ? false : 'only root may mount the small file system that is filled'

throughEachListener((listener) => {
  test(
    'K1: with the disk full no key is answered or left half-written; held keys are served',
    { skip: needsRoot },
    async (t) => {
      const stack = await agentStack({ listener, keysBeside: true })
      await stack.agent.stop()
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k,mode=700', 'tmpfs', stack.keyDirectory])
      t.after(() => {
        execFileSync('umount', ['--lazy', stack.keyDirectory])
        return stack.remove()
      })
      await stack.startAgent()
      const first = await keyAnswer(stack, 1)
      const filler = join(stack.keyDirectory, 'filler')
      const { bsize, bfree } = statfsSync(stack.keyDirectory)
      writeFileSync(filler, Buffer.alloc(bsize * bfree))
      const names = readdirSync(stack.keyDirectory).sort()

      assert.equal(await keyOutcome(stack, 2), 'unavailable')

      assert.equal(await keyAnswer(stack, 1), first)
      assert.deepEqual(readdirSync(stack.keyDirectory).sort(), names)
      const said = complaints(stack)
      assert.equal(said.length, 1, said.join('\n'))
      assert.match(
        said[0] ?? '',
        /^key 2, version 1 is not created: cannot write .*aws-kms-key\.2\.1 \(ENOSPC\)/,
      )

      rmSync(filler)
      await until('key 2 is created', async () => (await keyOutcome(stack, 2)) === 'served')
    },
  )

  test('K1: in a directory that can only be read no key is created; held keys are served', async (t) => {
    const stack = await agentStack({ listener, keysBeside: true, agentWrapper: ordinaryUser })
    t.after(() => stack.remove())
    const first = await keyAnswer(stack, 1)
    chmodSync(stack.keyDirectory, 0o500)

    assert.equal(await keyOutcome(stack, 2), 'unavailable')
    await until('it is told', () => complaints(stack).length > 0)
    assert.match(complaints(stack)[0] ?? '', /^key 2, version 1 is not created: cannot write .* \(EACCES\)/)
    assert.equal(await keyAnswer(stack, 1), first)
    await stack.agent.stop()
    await stack.startAgent()
    await until('key 1 is served again', async () => (await keyAnswer(stack, 1)) === first)

    chmodSync(stack.keyDirectory, 0o700)
    await until('key 2 is created', async () => (await keyOutcome(stack, 2)) === 'served')
  })
})
