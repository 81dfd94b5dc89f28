import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Stack } from '../../src/cli/demo/stack.ts'
import { throughEachListener } from '../support/each-listener.ts'
import { agentIsReady, agentStack, complaints } from '../support/running-stack.ts'
import { until } from '../support/until.ts'
import { keyAnswer } from '../support/key-client.ts'

const skip = existsSync('/usr/bin/systemd-notify') ? false : 'systemd-notify is not installed'

throughEachListener((listener) => {
  test(
    'systemd is told that the agent is ready only when every stored key is unwrapped',
    { skip },
    async (t) => {
      const stack = await agentStack({ listener })
      t.after(() => stack.remove())
      await keyAnswer(stack, 1)
      await stack.agent.stop()
      await stack.kms.stop()
      const told = notifySocket(t, stack)

      await stack.startAgent({ environment: { NOTIFY_SOCKET: told.socket } })
      await until('the agent waits', () => complaints(stack).length > 0)
      await until('systemd is told what for', () =>
        /^STATUS=keyring mariadb: waiting: .*; next try in \d+ s$/m.test(told.messages()),
      )
      assert.ok(!told.messages().includes('READY=1'))

      await stack.startKms()
      await until('the agent is ready', () => agentIsReady(stack))
      await until('systemd is told', () => told.messages().includes('READY=1'))
      assert.match(told.messages(), /^STATUS=every stored key is unwrapped$/m)
      await stack.agent.stop()
      assert.ok(told.messages().includes('STOPPING=1'))
    },
  )
})

/** What systemd would hear: a datagram socket, which Node.js has none of, so Perl listens. */
function notifySocket(t: TestContext, stack: Stack): { socket: string; messages(): string } {
  const folder = join(stack.directory, 'notify')
  mkdirSync(folder)
  const socket = join(folder, 'socket')
  const heard = join(folder, 'heard')
  const program = `
    use Socket; $| = 1;
    socket(my $s, PF_UNIX, SOCK_DGRAM, 0) or die; bind($s, sockaddr_un($ARGV[0])) or die;
    open(my $out, '>>', $ARGV[1]) or die; $out->autoflush(1);
    while (defined recv($s, my $m, 4096, 0)) { print $out "$m\\n" }`
  const child = spawn('perl', ['-MIO::Handle', '-e', program, socket, heard], { stdio: 'ignore' })
  t.after(() => child.kill('SIGKILL'))
  return { socket, messages: () => (existsSync(heard) ? readFileSync(heard, 'utf8') : '') }
}
