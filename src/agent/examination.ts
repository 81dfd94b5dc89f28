import { z } from 'zod'
import { examination } from '../keyring/examination.ts'
import type { Keyring } from '../keyring/keyring.ts'
import { version } from './version.ts'

/** What an agent answers who is asked to examine one of its keyrings. */
export const agentExamination = examination.extend({
  agent: z.object({
    pid: z.number(),
    uid: z.number(),
    version: z.string(),
    /** Whether every stored key is held and nothing is wrong. */
    isReady: z.boolean(),
  }),
})

export type AgentExamination = z.infer<typeof agentExamination>

export async function examineFor(keyring: Keyring): Promise<AgentExamination> {
  const found = await keyring.examine()
  const { pid } = process
  return { ...found, agent: { pid, uid: process.getuid?.() ?? 0, version, isReady: keyring.isReady } }
}
