import { PutKeyPolicyCommand, type KMSClient } from '@aws-sdk/client-kms'
import { readAuditTrail, type AuditRecord } from '../../src/cli/demo/audit-summary.ts'
import { keyPolicy, kmsClient } from '../../src/cli/demo/kms-setup.ts'
import { logLines } from '../../src/cli/demo/log-lines.ts'
import type { PluginStackListener, VaultStackListener } from '../../src/cli/demo/stack-listener.ts'
import { Stack, type StackOptions } from '../../src/cli/demo/stack.ts'
import { join } from 'node:path'
import { builtPlugin } from './built-plugin.ts'
import type { ListenerName } from './each-listener.ts'

export interface TestStackOptions extends Omit<StackOptions, 'plugin'> {
  readonly listener?: ListenerName
}

/** With nothing in it yet. */
export async function emptyStack({ listener = 'vault', ...options }: TestStackOptions): Promise<Stack> {
  return await Stack.create({ ...options, ...(listener === 'plugin' && { plugin: builtPlugin() }) })
}

/** KMS service, master key, user and agent, with an empty data directory beside them. */
export async function agentStack(options: TestStackOptions = {}): Promise<Stack> {
  const stack = await emptyStack(options)
  return await finished(stack, async () => {
    await stack.startKms()
    await stack.makeMasterKey()
    await stack.prepare()
    await stack.startAgent()
  })
}

/** The same with an initialised server that runs. */
export async function serverStack(options: TestStackOptions = {}): Promise<Stack> {
  const stack = await agentStack(options)
  return await finished(stack, async () => {
    await stack.initialise()
    await stack.startServer()
  })
}

/** What was begun of a stack is removed where it can't be finished. */
export async function finished(stack: Stack, build: () => Promise<void>): Promise<Stack> {
  try {
    await build()
    return stack
  } catch (error) {
    await stack.remove()
    throw error
  }
}

export async function asAdministrator<T>(stack: Stack, act: (kms: KMSClient) => Promise<T>): Promise<T> {
  const kms = kmsClient(stack.administrator)
  try {
    return await act(kms)
  } finally {
    kms.destroy()
  }
}

export async function setUserAccess(stack: Stack, allowed: boolean): Promise<void> {
  const policy = JSON.stringify(keyPolicy(allowed ? stack.user.arn : undefined))
  await asAdministrator(stack, (kms) =>
    kms.send(new PutKeyPolicyCommand({ KeyId: stack.masterKeyArn, PolicyName: 'default', Policy: policy })),
  )
}

export function auditTrail(stack: Stack): AuditRecord[] {
  return readAuditTrail(join(stack.kmsDirectory, 'audit-trail.jsonl'))
}

/** How often the KMS was asked to make a data key. */
export function generateCalls(stack: Stack): number {
  return auditTrail(stack).filter(({ eventName }) => eventName.startsWith('GenerateDataKey')).length
}

/** Of a stack with the Vault listener. */
export function vaultOf({ listener }: Stack): VaultStackListener {
  if (listener.name !== 'vault') throw new Error('this stack has no Vault listener')
  return listener
}

/** Of a stack with the plugin listener. */
export function pluginOf({ listener }: Stack): PluginStackListener {
  if (listener.name !== 'plugin') throw new Error('this stack has no plugin listener')
  return listener
}

/** The agent's log lines of level warning and above. */
export function complaints(stack: Stack): string[] {
  return logLines(stack.agent)
    .filter(({ level }) => level >= 40)
    .map(({ msg }) => msg)
}

export function agentSays(stack: Stack, part: string | RegExp): boolean {
  return logLines(stack.agent).some(({ msg }) =>
    typeof part === 'string' ? msg.includes(part) : part.test(msg),
  )
}

/** True once the agent, as it runs now, has been ready. */
export function agentIsReady(stack: Stack): boolean {
  return /^ready$/m.test(stack.agent.log())
}
