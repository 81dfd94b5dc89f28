import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import { fuzz } from '../../test/support/fuzz/fuzz.ts'
import { fuzzTarget } from '../../test/support/fuzz/target.ts'
import { startTestService } from '../../test/support/kms-service.ts'

/** The minute of it is `npm run test:soak`. */
test('2000 fuzzed requests get an answer that is no 500, and nothing fails behind it', async (t) => {
  const failures: string[] = []
  const log = pino({ level: 'error' }, { write: (line) => failures.push(line) })
  const service = await startTestService(t, { regions: ['us-west-2'], log })
  const target = await fuzzTarget(service.clientConfig())
  const tally = await fuzz({ ...target, seed: 2, until: (requests) => requests >= 2000 })
  assert.deepEqual(failures, [])
  const total = [...tally.values()].reduce((sum, one) => sum + one, 0)
  assert.ok(total >= 2000)
  // Most of what is signed gets to its operation, or the rest of this says little.
  for (const reached of ['Encrypt 200', 'DescribeKey 200', 'CreateUser 200', 'GetUser 200', 'raw 400']) {
    assert.ok(tally.has(reached), reached)
  }
  const refused = (name: string): number =>
    [...tally].reduce((sum, [what, times]) => sum + (what.endsWith(` ${name}`) ? times : 0), 0)
  assert.ok(refused('InvalidSignatureException') + refused('SignatureDoesNotMatch') < total / 10)
  assert.ok(refused('ValidationException') > 20 && refused('SerializationException') > 20)
})
