import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { freePort } from '../../src/cli/demo/free-port.ts'
import type { Stack } from '../../src/cli/demo/stack.ts'
import { commandFor, endingWithUs, serverAccount } from '../../src/mariadb/account.ts'
import { type Child, startChild } from '../../src/mariadb/child.ts'
import { queryOnce } from '../../src/mariadb/connection.ts'
import { findProgram } from '../../src/mariadb/programs.ts'
import { throughEachListener } from '../support/each-listener.ts'
import { LoopbackNamespace, noNetworkNamespace } from '../support/loopback-namespace.ts'
import { isLocal, type OpenSocket, openSocketsOf } from '../support/open-sockets.ts'
import { agentStack, vaultOf } from '../support/running-stack.ts'
import { scratchDirectory } from '../support/scratch.ts'
import { strongroom } from '../support/strongroom.ts'
import { until } from '../support/until.ts'

/*
 * The server runs in a network that has a loopback interface and no other. KMS and agent are outside; the agent is reached by
 * its unix socket, or at its port, which a relay brings in. What the server tries to reach beside loopback has no route, and the
 * kernel counts it. So what needs no connection to the outside is shown twice: nothing is missing, and nothing was tried.
 */

const skip = noNetworkNamespace()

throughEachListener((listener) => {
  test(
    'mariadbd holds loopback and unix sockets alone, and tries to reach nothing else',
    { skip },
    async (t) => {
      const port = await freePort()
      const stack = await agentStack({ listener, port })
      t.after(() => stack.remove())
      await stack.initialise()
      const network = await LoopbackNamespace.start()
      t.after(() => network.end())
      if (listener === 'vault') {
        const socket = join(scratchDirectory(t), 'relay')
        await network.forward(Number(new URL(vaultOf(stack).url).port), socket)
      }

      const seen = new Map<string, OpenSocket>()
      const server = await startServer(t, network, stack, (sockets) => {
        for (const socket of sockets) seen.set(JSON.stringify(socket), socket)
      })
      const sql = (statement: string) => queryOnce(stack.prepared.socket, statement)
      await sql('CREATE DATABASE payroll')
      await sql('CREATE TABLE payroll.salaries (amount int) ENGINE=InnoDB ENCRYPTION_KEY_ID=7')
      await rotate(stack, sql)
      await sql('FLUSH BINARY LOGS')
      await sql('INSERT INTO payroll.salaries VALUES (4711)')
      await sql('SET GLOBAL innodb_encryption_rotate_key_age = 1')
      assert.deepEqual(await sql('SELECT amount FROM payroll.salaries'), [{ amount: 4711 }])
      // A client that comes by TCP, as an application does.
      const place = ['--protocol=tcp', '--host=127.0.0.1', `--port=${port}`]
      const client = ['mariadb', '--no-defaults', ...place, '--user=nobody', '--execute=SELECT 1']
      assert.match(errorOf(network.command(client)), /Access denied/)
      await server.stop()

      const sockets = [...seen.values()]
      assert.deepEqual(
        sockets.filter((socket) => !isLocal(socket)),
        [],
      )
      // The sampling has seen the server listen, and ask for keys.
      const asked = listener === 'vault' ? /^tcp$/ : /^unix$/
      assert.ok(sockets.some(({ kind, remote }) => kind === 'tcp' && /^0+:0+$/.test(remote)))
      assert.ok(sockets.some(({ kind, local }) => kind === 'unix' && local === stack.prepared.socket))
      assert.ok(sockets.some(({ kind }) => asked.test(kind)))
      assert.ok(await seesOthers())
      assert.equal(network.attemptsElsewhere, 0)

      // That counting would have told: of a connection, of a question to a name server, of both versions of IP.
      for (const [index, address] of [
        'tcp/198.51.100.1/443',
        'udp/198.51.100.1/53',
        'tcp/2001:db8::1/443',
      ].entries()) {
        assert.match(
          errorOf(network.command(['bash', '-c', `echo > /dev/${address}`])),
          /Network is unreachable/,
        )
        assert.equal(network.attemptsElsewhere, index + 1, address)
      }
    },
  )
})

interface Watched {
  readonly stop: () => Promise<void>
}

/** Starts the server in the namespace, and hands its sockets over, again and again, until it is stopped. */
async function startServer(
  t: TestContext,
  network: LoopbackNamespace,
  stack: Stack,
  see: (sockets: readonly OpenSocket[]) => void,
): Promise<Watched> {
  const [setpriv, args] = endingWithUs(
    commandFor(serverAccount(), findProgram('mariadbd'), `--defaults-file=${stack.prepared.optionFile}`),
  )
  const [program = '', ...rest] = network.command([setpriv, ...args])
  const output = join(stack.directory, 'server', 'output.log')
  const child: Child = await startChild([program, rest], output)
  let ended = false
  void child.exited.then(() => {
    ended = true
  })
  const watching = setInterval(() => {
    if (!ended) see(openSocketsOf(child.pid))
  }, 5)
  const stop = async () => {
    clearInterval(watching)
    child.kill('SIGTERM')
    await child.exited
  }
  t.after(stop)
  await until('the server answers', async () => {
    if (ended) assert.fail('the server did not start')
    return await queryOnce(stack.prepared.socket, 'SELECT 1').then(
      () => true,
      () => false,
    )
  })
  return { stop }
}

async function rotate(stack: Stack, sql: (statement: string) => Promise<unknown>): Promise<void> {
  if (stack.listener.name === 'plugin') await sql('SET GLOBAL aws_key_management_rotate_key = -1')
  else {
    const config = ['--config', join(stack.agentDirectory, 'agent.conf')]
    for (const keyId of ['1', '7'])
      assert.equal((await strongroom(['keys', 'rotate', keyId, ...config])).code, 0)
  }
}

/** Whether a socket that is open to other hosts would be noticed. */
async function seesOthers(): Promise<boolean> {
  const socket = createSocket('udp4').bind(0)
  await once(socket, 'listening')
  const others = openSocketsOf(process.pid).filter((one) => !isLocal(one))
  socket.close()
  return others.some(({ kind }) => kind === 'udp')
}

function errorOf([file = '', ...args]: readonly string[]): string {
  return spawnSync(file, args, { encoding: 'utf8' }).stderr
}
