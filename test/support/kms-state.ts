import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { pino } from 'pino'
import { beginning } from '../../src/kms/audit/chain.ts'
import { TrailLookup } from '../../src/kms/audit/lookup.ts'
import { openKeyStore } from '../../src/kms/open-schedule.ts'
import { openStates } from '../../src/kms/open-states.ts'
import type { Call, State } from '../../src/kms/operations/call.ts'
import type { Principal } from '../../src/kms/principal.ts'
import { openDataDirectory } from '../../src/kms/state/data-directory.ts'
import { accountId } from './principals.ts'

const noTrail = new TrailLookup('', () => ({ first: 1, size: 0, last: beginning }))

/** What the operations work on, without a service around it: in us-east-1, and in eu-west-1 beside. */
export async function kmsState(t: TestContext): Promise<State> {
  const path = mkdtempSync(join(tmpdir(), 'strongroom-kms-state-'))
  const log = pino({ level: 'silent' })
  const directory = await openDataDirectory(path, { accountId, region: 'us-east-1' })
  const store = openKeyStore(directory, {}, log)
  const states = openStates(directory, store, { regions: ['eu-west-1'], trailLookup: noTrail, log })
  t.after(() => {
    for (const { keyUsage, accessKeyUsage, roleUsage } of states.values()) {
      for (const usage of [keyUsage, accessKeyUsage, roleUsage]) usage.close()
    }
    store.zero()
    directory.close()
    rmSync(path, { recursive: true })
  })
  const state = states.get('us-east-1')
  if (state === undefined) throw new Error('the region has no state')
  return state
}

/** A request of this caller, in the first minutes of 2030. */
export function callOf(caller: Principal, state: State): Call {
  return {
    caller,
    state,
    sourceIp: '203.0.113.7',
    userAgent: 'test/1',
    receivedAt: new Date('2030-01-01T00:01:00Z'),
    requestId: '',
    eventId: '',
    secureTransport: true,
    seen: {},
  }
}
