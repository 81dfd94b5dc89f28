import { z } from 'zod'
import { StrongroomError } from '../../../errors.ts'
import { requireAgentSocket } from '../../../mfa-session/agent-socket.ts'
import type { Session } from '../../../mfa-session/session.ts'
import { askAgent, isErrorCode } from '../../admin-client.ts'
import type { AgentKeyring } from '../../agent-keyring.ts'

/** How the keyring stands once it has tried the credentials. */
export type HandedOver = z.infer<typeof state>

const state = z.object({
  isReady: z.boolean(),
  waitsForServer: z.boolean(),
  trouble: z.object({ code: z.string(), message: z.string() }).optional(),
})

/** Milliseconds: it has only to say what it knows. */
const patience = 10_000

/** Before a code is used up: the agent runs, and it is the agent. Throws SR_ADMIN_FAILED or SR_ADMIN_UNTRUSTED. */
export async function requireAgent({ socket, config: { name } }: AgentKeyring): Promise<void> {
  requireAgentSocket(socket)
  await askAgent(socket, { method: 'GET', path: pathOf(name), answer: state, patience })
}

/** Throws what the agent says against them. */
export async function handOver({ socket, config }: AgentKeyring, session: Session): Promise<HandedOver> {
  const body = Buffer.from(JSON.stringify(session))
  requireAgentSocket(socket)
  try {
    return await askAgent(socket, { method: 'POST', path: pathOf(config.name), body, answer: state })
  } finally {
    body.fill(0)
  }
}

/** Throws where the KMS is of no use to the agent with these credentials either: a server would wait for it in vain. */
export function requireUse({ trouble, waitsForServer }: HandedOver, keyring: string): void {
  if (trouble === undefined || waitsForServer || !/^SR_(KMS|MASTER_KEY)_/.test(trouble.code)) return
  throw new StrongroomError(
    isErrorCode(trouble.code) ? trouble.code : 'SR_KMS_FAILED',
    `the agent has the credentials now, but keyring ${keyring} still waits, so nothing was started: ${trouble.message}`,
  )
}

function pathOf(keyring: string): string {
  return `/keyrings/${keyring}/credentials`
}
