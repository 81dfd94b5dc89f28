import { EnableKeyCommand } from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { startKms } from '../support/kms-process.ts'
import { scratchDirectory } from '../support/scratch.ts'
import { until } from '../support/until.ts'
import { dutiesIn, startWindow } from '../support/window-command.ts'
import { requireClosed, type WindowSite, windowSite } from '../support/window-site.ts'

const cases: Record<string, (site: WindowSite, t: TestContext) => Promise<void>> = {
  async 'the watchdog is killed: the command closes what it held'(site) {
    const command = site.open('--for', '10m')
    await command.says('not ready yet')
    for (const pid of command.watchdogs()) process.kill(pid, 'SIGKILL')
    assert.deepEqual(await command.exited, { code: 1, signal: null })
    assert.match(command.output(), /closing: the watchdog has died: it ended with SIGKILL/)
    await requireClosed(site, command)
  },

  async 'the watchdog is killed, and what it had written down is gone: the command closes all the same'(
    site,
  ) {
    const command = site.open('--for', '10m')
    await command.says('not ready yet')
    rmSync(site.stateDirectory, { recursive: true })
    for (const pid of command.watchdogs()) process.kill(pid, 'SIGKILL')
    assert.deepEqual(await command.exited, { code: 1, signal: null })
    assert.match(command.output(), /closing: the watchdog has died.*\n.*closed, confirmed by the KMS/)
    await requireClosed(site, command)
  },

  async 'what is written down can not be read: that keeps no key enabled'(site, t) {
    await site.admin.send(new EnableKeyCommand({ KeyId: site.key }))
    const place = { ...site, stateDirectory: join(site.credentialsFile, 'duties') }
    const { exited, output } = startWindow(t, place, ['disable', site.key])
    assert.equal((await exited).code, 0)
    assert.match(output(), /what earlier windows of this host left open is not known: .*ENOTDIR/)
    assert.equal(await site.state(), 'Disabled')
  },

  async 'both are killed: the next command finds what is left over, and closes it'(site) {
    const command = site.open('--for', '10m')
    await command.says('not ready yet')
    const [secret = ''] = /\S{40}/.exec(readFileSync(site.credentialsFile, 'utf8')) ?? []
    const visible = command
      .processes()
      .flatMap((pid) => ['cmdline', 'environ'].map((name) => readFileSync(`/proc/${pid}/${name}`, 'latin1')))
    assert.equal(visible.length, 4)
    assert.ok(!`${visible.join()}${dutiesIn(site.stateDirectory).join()}${command.output()}`.includes(secret))
    for (const pid of command.processes()) process.kill(pid, 'SIGKILL')
    await until('both are gone', () => command.processes().length === 0)
    assert.equal(await site.state(), 'Enabled')
    assert.equal(dutiesIn(site.stateDirectory).length, 1)

    const recovering = site.run('window', '--recover')
    assert.equal((await recovering.exited).code, 0)
    assert.match(
      recovering.output(),
      /was left over of a window that process \d+ on \S+ opened at .*: it is closed now/,
    )
    await requireClosed(site, recovering)
    const again = site.run('window', '--recover')
    assert.deepEqual([(await again.exited).code, again.output()], [0, ''])
  },

  async 'what is left over of a call that may yet arrive is kept, and looked at again'(site) {
    const held = site.proxy.hold('EnableKey', 'request')
    const command = site.open('--for', '10m')
    await held.arrived
    for (const pid of command.processes()) process.kill(pid, 'SIGKILL')
    await until('both are gone', () => command.processes().length === 0)
    assert.equal((await site.run('window', '--recover').exited).code, 0)
    assert.match(dutiesIn(site.stateDirectory).join(), /"state": "watching"/)

    held.release()
    await until('EnableKey has arrived late', async () => (await site.state()) === 'Enabled')
    assert.equal((await site.run('window', '--recover').exited).code, 0)
    assert.equal(await site.state(), 'Disabled')
  },

  async 'EnableKey arrives when the window is closed already: the watchdog closes it again'(site) {
    const held = site.proxy.hold('EnableKey', 'request')
    const command = site.open('--for', '2s')
    await held.arrived
    assert.equal((await command.exited).code, 1)
    assert.match(
      command.output(),
      /a call that was not answered may still arrive, so the watchdog looks at it until/,
    )
    assert.equal(await site.state(), 'Disabled')

    const disabled = site.proxy.operations.filter((operation) => operation === 'DisableKey').length
    held.release()
    await until('it is disabled once more', async () => {
      const calls = site.proxy.operations.filter((operation) => operation === 'DisableKey').length
      return calls > disabled && (await site.state()) === 'Disabled'
    })
    // Who enables it on purpose has nothing to fear from that watchdog.
    assert.equal((await site.run('enable', site.key).exited).code, 0)
    await until('the watchdog has ended', () => command.watchdogs().length === 0)
    assert.equal(await site.state(), 'Enabled')
    assert.deepEqual(dutiesIn(site.stateDirectory), [])
  },

  async 'the command is killed while the network is gone: it is closed when that is back'(site) {
    const command = site.open('--for', '10m')
    await command.says('not ready yet')
    site.proxy.cut()
    process.kill(command.pid, 'SIGKILL')
    await until('the watchdog says what keeps it', () =>
      dutiesIn(site.stateDirectory).join().includes('"trouble": '),
    )
    // Three seconds of it: by then it waits longer between two tries.
    await new Promise((resolve) => setTimeout(resolve, 3000))
    assert.equal(await site.state(), 'Enabled')
    assert.equal(command.watchdogs().length, 1)
    site.proxy.restore()
    await requireClosed(site, command)
  },

  async 'the network is gone when the time is over: the command says so, and waits until it is closed'(site) {
    const command = site.open('--for', '2s')
    await command.says('not ready yet')
    site.proxy.cut()
    await command.says('STILL OPEN')
    site.proxy.restore()
    assert.equal((await command.exited).code, 1)
    assert.match(command.output(), /closed, confirmed by the KMS/)
    await requireClosed(site, command)
  },

  async 'the terminal goes: SIGHUP to its processes'(site) {
    const command = site.open('--for', '10m')
    await command.says('not ready yet')
    command.child.stdout?.destroy()
    command.child.stderr?.destroy()
    process.kill(-command.pid, 'SIGHUP')
    assert.deepEqual(await command.exited, { code: 129, signal: null })
    await requireClosed(site, command)
  },

  async 'Ctrl-C closes at once, and waits for the KMS to confirm it'(site) {
    const command = site.open('--for', '10m')
    await command.says('not ready yet')
    process.kill(-command.pid, 'SIGINT')
    assert.deepEqual(await command.exited, { code: 130, signal: null })
    assert.match(command.output(), /closing: the command got SIGINT\n.*closed, confirmed by the KMS/)
    await requireClosed(site, command)
  },

  async 'Ctrl-C twice ends the command at once, and the watchdog goes on'(site) {
    const held = site.proxy.hold('DisableKey', 'request', 1)
    const command = site.open('--for', '10m')
    await command.says('not ready yet')
    process.kill(-command.pid, 'SIGINT')
    await held.arrived
    process.kill(-command.pid, 'SIGINT')
    assert.deepEqual(await command.exited, { code: 130, signal: null })
    assert.equal(await site.state(), 'Enabled')
    held.release()
    await requireClosed(site, command)
  },

  async 'the watchdog is told to end, as at a shutdown: it closes first'(site) {
    const command = site.open('--for', '10m')
    await command.says('not ready yet')
    for (const pid of command.watchdogs()) process.kill(pid, 'SIGTERM')
    assert.equal((await command.exited).code, 1)
    assert.match(command.output(), /closing: the watchdog got SIGTERM/)
    await requireClosed(site, command)
  },

  async 'nobody reads what it says: it goes on to its end'(site) {
    const command = site.open('--for', '10m')
    await command.says('open; closed again')
    command.child.stdout?.destroy()
    command.child.stderr?.destroy()
    writeFileSync(site.readyFile, '')
    assert.equal((await command.exited).code, 0)
    await requireClosed(site, command)
  },

  async 'its own KMS fails with a 503 at EnableKey: that counts as enabled'(site) {
    let failed = 0
    site.proxy.answerBy((operation) =>
      operation === 'EnableKey' && failed++ < 2 ? 'KMSInternalException' : undefined,
    )
    writeFileSync(site.readyFile, '')
    const command = site.open()
    assert.equal((await command.exited).code, 0)
    await command.says('it is tried again')
    assert.equal(await site.state(), 'Disabled')
    assert.match(dutiesIn(site.stateDirectory).join(), /"state": "watching"/)
  },

  async 'what has to be closed can not be written down: nothing is opened'(site, t) {
    const command = startWindow(t, { ...site, stateDirectory: '/proc/no-such-place' }, ['window', site.key])
    assert.equal((await command.exited).code, 1)
    assert.match(command.output(), /nothing is opened, for what has to be closed again.*\[SR_WINDOW_DUTY\]/)
    assert.ok(!site.proxy.operations.includes('EnableKey'))
  },

  async 'a key that is enabled already is left alone, unless it is said to end disabled'(site) {
    await site.admin.send(new EnableKeyCommand({ KeyId: site.key }))
    writeFileSync(site.readyFile, '')
    const refused = site.open()
    assert.equal((await refused.exited).code, 1)
    assert.match(
      refused.output(),
      /is enabled already, and a window would end with it disabled.*\[SR_WINDOW_REFUSED\]/,
    )
    assert.equal(await site.state(), 'Enabled')
    assert.equal((await site.open('--even-if-enabled').exited).code, 0)
    assert.equal(await site.state(), 'Disabled')
  },

  async 'a second window on a key is refused while the first is open'(site) {
    const first = site.open('--for', '10m')
    await first.says('open; closed again')
    const second = site.open('--even-if-enabled')
    assert.equal((await second.exited).code, 1)
    assert.match(second.output(), /a window on master key .* is open until .* \(process \d+ on /)
    assert.equal(await site.state(), 'Enabled')
    writeFileSync(site.readyFile, '')
    assert.equal((await first.exited).code, 0)
    await requireClosed(site, first)
  },
}

test('window, in trouble', { concurrency: 5 }, async (t) => {
  const kmsDirectory = join(scratchDirectory(t), 'kms')
  const kms = await startKms(t, { directory: kmsDirectory })
  const run = ([name, body]: [string, (typeof cases)[string]]) =>
    t.test(name, async (t) => {
      await body(await windowSite(t, { kms, kmsDirectory }), t)
    })
  await Promise.all(Object.entries(cases).map(run))
})
