import type { CommandResult } from '../../../mfa-session/run-command.ts'
import type { Session } from '../../../mfa-session/session.ts'
import { note, print } from '../../terminal.ts'
import type { HandedOver } from './agent.ts'

export interface Report {
  /** Whose agent has the credentials; undefined: the command had them. */
  readonly keyring: ({ readonly name: string } & HandedOver) | undefined
  readonly serialNumber: string
  readonly session: Session
  readonly command: readonly string[]
  /** undefined: there was no command. */
  readonly result: CommandResult | undefined
}

export function tellOfHandingOver(keyring: string, { expiration }: Session, state: HandedOver): void {
  const minutes = Math.round((expiration.getTime() - Date.now()) / 60_000)
  note(
    `keyring ${keyring}: the agent has credentials until ${expiration.toISOString()} (${minutes} minutes) and ${standing(state)}`,
  )
}

/** Tells how it ended; returns the exit code. */
export function report({ keyring, serialNumber, session, command, result }: Report, json: boolean): number {
  if (result !== undefined) note(ending(command, result))
  if (json) {
    const { accessKeyId, expiration } = session
    const { exitCode = null, signal = null } = result ?? {}
    const agent = keyring && {
      name: keyring.name,
      isReady: keyring.isReady,
      waitsForServer: keyring.waitsForServer,
      trouble: keyring.trouble ?? null,
    }
    print(
      JSON.stringify({
        keyring: agent ?? null,
        serialNumber,
        accessKeyId,
        expiration,
        command,
        exitCode,
        signal,
      }),
    )
  }
  return result?.exitCode ?? 0
}

function standing({ isReady, waitsForServer, trouble }: HandedOver): string {
  if (isReady) return 'is ready'
  if (waitsForServer) return "waits for what the server's options say"
  return `is not ready: ${trouble === undefined ? 'it is still loading' : trouble.message}`
}

function ending([name = '']: readonly string[], { exitCode, signal }: CommandResult): string {
  return signal === undefined ? `${name} ended with exit code ${exitCode}` : `${name} was ended by ${signal}`
}
