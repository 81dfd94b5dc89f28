import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArguments } from '../arguments.ts'
import type { Command } from '../command.ts'
import { demoSteps } from '../demo/show.ts'
import { Stack } from '../demo/stack.ts'
import { resultTable, runSteps } from '../demo/steps.ts'
import { note, print } from '../terminal.ts'

export const demo: Command = {
  help: `
  strongroom demo

Starts a KMS service, an agent and a MariaDB server in a scratch directory, on free ports of 127.0.0.1, and shows
that the server's data can be read only with the master key. Takes about half a minute. Ends every process and
removes every file; exits 0 only if all held.

  --keep             leave it running, and print how to connect and how to end it
  --plugin FILE      the server asks through our aws_key_management.so (npm run build:plugin makes it) instead of through
                     the stock Vault plugin
  --log-level LEVEL  of the agent and the KMS service: trace, debug, info (default), warn, error
`,
  async run(args) {
    const { values } = parseArguments({
      args: [...args],
      options: {
        keep: { type: 'boolean', default: false },
        plugin: { type: 'string' },
        'log-level': { type: 'string', default: 'info' },
      },
    })
    const stack = await Stack.create({
      logLevel: values['log-level'],
      outlivesUs: values.keep,
      ...(values.plugin !== undefined && { plugin: values.plugin }),
    })
    const interrupted = onInterrupt(() => stack.remove())
    const steps = demoSteps(stack)
    print(`In ${stack.directory}:`)
    const results = await runSteps(steps, process.stdout)
    const held = results.length === steps.length && results.every((result) => result.held)
    for (const line of resultTable(steps, results)) print(line)
    if (values.keep) printHowToConnect(stack)
    else await stack.remove()
    interrupted.forget()
    print(held ? 'All of it held.' : 'Not all of it held.')
    return held ? 0 : 1
  },
}

function printHowToConnect(stack: Stack): void {
  const { socket } = stack.prepared
  const stop = join(stack.directory, 'stop')
  writeFileSync(stop, stopScript(stack), { mode: 0o700 })
  print('It is left running:')
  print(`  the server       mariadb --no-defaults --socket=${socket} --user=root`)
  print(`  the KMS service  AWS_SHARED_CREDENTIALS_FILE=${stack.administrator.credentialsFile} \\`)
  print(`                     aws --endpoint-url ${stack.kms.url} --region us-east-1 kms list-keys`)
  print(`  the agent        ${stack.agent.url}; its log: ${join(stack.directory, 'agent.log')}`)
  print(`  to end it all    ${stop}`)
}

/** In the order in which they need each other; the folder last. */
function stopScript(stack: Stack): string {
  const pids = [stack.server.pid, stack.agent.pid, stack.kms.pid]
  const lines = pids.map((pid) => `kill ${pid} && while kill -0 ${pid} 2>/dev/null; do sleep 0.1; done`)
  return ['#!/bin/sh', ...lines, `rm -rf '${stack.directory}'`, ''].join('\n')
}

/** Ctrl-C ends the demo as its end would: nothing stays behind. */
function onInterrupt(clean: () => Promise<void>): { forget(): void } {
  const act = (signal: NodeJS.Signals): void => {
    note(`${signal}: ending every process`)
    void clean().finally(() => {
      process.exit(1)
    })
  }
  process.once('SIGINT', act)
  process.once('SIGTERM', act)
  return {
    forget: () => {
      process.off('SIGINT', act)
      process.off('SIGTERM', act)
    },
  }
}
