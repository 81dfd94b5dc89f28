import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { freePort } from '../../src/cli/demo/free-port.ts'
import { throughEachListener } from '../support/each-listener.ts'
import { serverStack } from '../support/running-stack.ts'

/** Our plugin waits so long for the agent, each time that the server asks for a key: by default 5000. */
const patience = { 'aws-key-management-request-timeout': '1000' }

throughEachListener((listener) => {
  test('with the agent unreachable the server exits, and its port never opens', async (t) => {
    const port = await freePort()
    const stack = await serverStack({ listener, port, ...(listener === 'plugin' && { server: patience }) })
    t.after(() => stack.remove())
    assert.equal(await isOpen(port), true)
    await stack.stopServer()
    await stack.agent.stop()

    const over = new AbortController()
    const opened = watchPort(port, over.signal)
    await assert.rejects(stack.startServer(), { code: 'SR_MARIADB_START', message: /exit code 1/ })
    over.abort()

    assert.equal(await opened, false)
  })
})

/** Whether the port was open at any moment until the end. */
async function watchPort(port: number, end: AbortSignal): Promise<boolean> {
  while (!end.aborted) {
    if (await isOpen(port)) return true
    await setTimeout(2)
  }
  return false
}

async function isOpen(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => {
      resolve(false)
    })
  })
}
