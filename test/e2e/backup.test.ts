import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chownSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Stack } from '../../src/cli/demo/stack.ts'
import { findProgram } from '../../src/mariadb/programs.ts'
import { throughEachListener } from '../support/each-listener.ts'
import { agentIsReady, generateCalls, serverStack } from '../support/running-stack.ts'
import { until } from '../support/until.ts'

throughEachListener((listener) => {
  test('a backup carries its wrapped keys and manifest, and is all that a new data directory needs', async (t) => {
    const stack = await serverStack({ listener })
    t.after(() => stack.remove())
    const { server } = stack
    await server.query('CREATE DATABASE d')
    await server.query('CREATE TABLE d.t (n INT PRIMARY KEY) ENCRYPTED=YES ENCRYPTION_KEY_ID=3')
    await server.query('INSERT INTO d.t VALUES (1), (2)')
    const backup = join(stack.directory, 'backup')
    mkdirSync(backup)
    const options = [`--defaults-file=${stack.prepared.optionFile}`, `--target-dir=${backup}`]

    mariadbBackup(stack, [...options, '--backup', '--user=root', `--socket=${server.socket}`])
    const carried = readdirSync(backup).filter((name) => name.startsWith('aws-kms-key'))
    assert.deepEqual(carried.sort(), [
      'aws-kms-key.1.1',
      'aws-kms-key.2.1',
      'aws-kms-key.3.1',
      'aws-kms-key.keyring.json',
    ])
    // With the server's own option file the plugin is looked for in / (and its token written to the terminal).
    const recorded = `--defaults-file=${join(backup, 'backup-my.cnf')}`
    mariadbBackup(stack, [recorded, '--prepare', `--target-dir=${backup}`])

    // Everything is lost but the backup and the KMS.
    await stack.stopServer()
    await stack.agent.stop()
    const generated = generateCalls(stack)
    for (const name of readdirSync(stack.dataDirectory))
      rmSync(join(stack.dataDirectory, name), { recursive: true })
    mariadbBackup(stack, [...options, '--copy-back'])
    giveToServer(stack.dataDirectory)

    await stack.startAgent()
    await until('the agent is ready', () => agentIsReady(stack))
    const restored = await stack.startServer()
    assert.deepEqual(await restored.query('SELECT n FROM d.t'), [{ n: 1 }, { n: 2 }])
    assert.equal(generateCalls(stack), generated)
  })
})

function mariadbBackup({ listener }: Stack, args: readonly string[]): void {
  // The stock Vault plugin has its token from there.
  const token = listener.name === 'vault' ? { VAULT_TOKEN: listener.token } : {}
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...token }
  const run = spawnSync(findProgram('mariadb-backup'), args, { encoding: 'utf8', env })
  assert.equal(
    run.status,
    0,
    `mariadb-backup ${args.join(' ')}: ${run.stderr.split('\n').slice(-12).join('\n')}`,
  )
}

/** What is copied back belongs to whoever did so. */
function giveToServer(directory: string): void {
  const { uid, gid } = statSync(directory)
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    chownSync(join(directory, name), uid, gid)
  }
}
