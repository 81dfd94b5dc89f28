import { agentConfigFrom } from '../agent/config.ts'
import { iniSections } from '../ini-file.ts'
import { StrongroomError } from '../errors.ts'
import { Accounts } from './accounts.ts'
import { objections } from './contradictions.ts'
import { type Comparison, compare, type Host } from './difference.ts'
import { dataState, type DataState, foreignEncryption } from './foreign-encryption.ts'
import { unsafeWays, wrongKinds } from './obstacles.ts'
import { piecesFor } from './pieces.ts'
import { readPresent } from './present.ts'
import { serverFacts } from './server-facts.ts'
import { decide, type Ground, type Settings } from './settings.ts'
import { Tree } from './tree.ts'
import type { Wishes } from './wishes.ts'

/** What `strongroom mariadb configure` would do on a host. */
export interface Deployment {
  readonly host: Host
  readonly ground: Ground
  readonly settings: Settings
  /** Nothing: the host is as it must be. */
  readonly comparisons: readonly Comparison[]
  /** What is good to know before it is done. */
  readonly remarks: readonly string[]
  readonly data: DataState
}

/** Looks at the host, changes nothing. Throws SR_DEPLOY_IMPOSSIBLE, SR_DEPLOY_CONTRADICTION, SR_CONFIG_INVALID and SR_USAGE. */
export async function planDeployment(root: string, wishes: Wishes): Promise<Deployment> {
  const tree = new Tree(root)
  const accounts = new Accounts(tree)
  const host = { tree, accounts, ownersCount: tree.isOurs || process.getuid?.() === 0 }
  const present = readPresent(tree, wishes)
  const ground = { tree, accounts, wishes, present, facts: serverFacts(tree) }
  const settings = decide(ground)
  const pieces = piecesFor(ground, settings)
  for (const piece of pieces) {
    // What the agent would refuse is refused here, before anything is changed.
    if (piece.kind === 'file' && piece.path === settings.config && piece.content !== undefined)
      agentConfigFrom(iniSections(piece.content.toString(), settings.config), settings.config)
  }
  const data = await dataState(tree, settings)
  const { contradictions, remarks } = objections(ground, settings)
  requireNone([...contradictions, ...foreignEncryption(data, settings), ...wrongKinds(host, pieces)])
  const comparisons = compare(host, pieces)
  requireNone(unsafeWays(host, comparisons))
  return { host, ground, settings, comparisons, remarks, data }
}

function requireNone(contradictions: readonly string[]): void {
  if (contradictions.length === 0) return
  throw new StrongroomError(
    'SR_DEPLOY_CONTRADICTION',
    `this host is set up for something else; nothing was changed:\n${contradictions.map((line) => `  ${line}`).join('\n')}`,
  )
}
