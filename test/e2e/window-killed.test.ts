import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startKms } from '../support/kms-process.ts'
import { scratchDirectory } from '../support/scratch.ts'
import type { WindowCommand } from '../support/window-command.ts'
import { requireClosed, type WindowSite, windowSite } from '../support/window-site.ts'

interface Moment {
  readonly when: string
  readonly wasEnabled: boolean
  /** Told before the command starts. What it returns resolves at the moment, to what lets go on what was held up. */
  readonly arrange: (site: WindowSite) => (command: WindowCommand) => Promise<(() => void) | undefined>
}

const atCall =
  (operation: string, what: 'request' | 'answer', after = 0): Moment['arrange'] =>
  ({ proxy, readyFile }) => {
    const held = proxy.hold(operation, what, after)
    if (operation !== 'EnableKey') writeFileSync(readyFile, '')
    return async () => {
      await held.arrived
      return () => {
        held.release()
      }
    }
  }

const whenItSays =
  (text: string | RegExp, isReady = false): Moment['arrange'] =>
  ({ readyFile }) =>
  async (command) => {
    if (isReady) {
      await command.says('open; closed again')
      writeFileSync(readyFile, '')
    }
    await command.says(text)
    return undefined
  }

/** In the order of the calls: it finds the key, proves that it may disable, enables, disables, looks, reads the trail. */
const moments: Moment[] = [
  { when: 'before it has found the key', wasEnabled: false, arrange: atCall('DescribeKey', 'request') },
  {
    when: 'while it proves that it may disable',
    wasEnabled: false,
    arrange: atCall('DisableKey', 'request'),
  },
  {
    when: 'EnableKey is sent and has not arrived',
    wasEnabled: true,
    arrange: atCall('EnableKey', 'request'),
  },
  { when: 'EnableKey is done and not answered', wasEnabled: true, arrange: atCall('EnableKey', 'answer') },
  { when: 'the key is enabled', wasEnabled: true, arrange: whenItSays('open; closed again') },
  { when: 'the server is not ready yet', wasEnabled: true, arrange: whenItSays('not ready yet') },
  { when: 'the server is ready', wasEnabled: true, arrange: whenItSays('ready after', true) },
  {
    when: 'DisableKey is sent and has not arrived',
    wasEnabled: true,
    arrange: atCall('DisableKey', 'request', 1),
  },
  {
    when: 'DisableKey is done and not answered',
    wasEnabled: true,
    arrange: atCall('DisableKey', 'answer', 1),
  },
  {
    when: 'it looks whether the key is disabled',
    wasEnabled: true,
    arrange: atCall('DescribeKey', 'request', 1),
  },
  { when: 'it reads the audit trail', wasEnabled: true, arrange: atCall('LookupEvents', 'request') },
]

test('window, killed with SIGKILL', { concurrency: 4 }, async (t) => {
  const kmsDirectory = join(scratchDirectory(t), 'kms')
  const kms = await startKms(t, { directory: kmsDirectory })
  const moment = ({ when, wasEnabled, arrange }: Moment) =>
    t.test(when, async (t) => {
      const site = await windowSite(t, { kms, kmsDirectory })
      const come = arrange(site)
      const command = site.open('--for', '10m')
      const letGo = await come(command)
      process.kill(command.pid, 'SIGKILL')
      assert.deepEqual(await command.exited, { code: null, signal: 'SIGKILL' })
      letGo?.()
      await requireClosed(site, command)
      assert.equal(site.proxy.operations.includes('EnableKey'), wasEnabled)
    })
  await Promise.all(moments.map(moment))
})
