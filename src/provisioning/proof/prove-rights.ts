import type { AwsAccess } from '../../aws/access.ts'
import { administratorProbes } from './administrator.ts'
import { type Probe, type Proof, prove } from './probe.ts'
import { allowedUses, refusedUses } from './server-use.ts'
import { refusedRest } from './server-rest.ts'
import type { Subject } from './subject.ts'

export interface ProveOptions {
  /** The server's; undefined: there is no way to call as the server from here. */
  readonly server: AwsAccess | undefined
  readonly administrator: AwsAccess
  readonly callerArn: string
  /** Milliseconds that AWS may take to know what was changed. */
  readonly patience: number
  readonly onWait: (why: string) => void
}

/** Shows by calls what server and administrator may do, first what is allowed: until then nobody knows the access key. */
export async function proveRights(
  subject: Omit<Subject, 'access'>,
  { server, administrator, callerArn, patience, onWait }: ProveOptions,
): Promise<Proof[]> {
  const end = Date.now() + patience
  const proofs: Proof[] = []
  const asServer = server && { ...subject, access: server }
  for (const probe of asServer === undefined ? [] : allowedUses(asServer)) {
    proofs.push(
      await prove(probe, end, () => {
        onWait(`waiting until AWS lets the server ${probe.action}`)
      }),
    )
  }
  const rest = [
    ...(asServer === undefined ? [] : [...refusedUses(asServer), ...refusedRest(asServer)]),
    ...administratorProbes({ ...subject, access: administrator }, callerArn),
  ]
  for (const probe of rest) {
    proofs.push(
      await prove(probe, end, () => {
        onWait(waitingFor(probe))
      }),
    )
  }
  return proofs
}

function waitingFor({ who, action, how, expected }: Probe): string {
  const what = `${action}${how === undefined ? '' : ` ${how}`}`
  return `waiting until AWS ${expected === 'allowed' ? `lets the ${who}` : `refuses the ${who}`} ${what}`
}
